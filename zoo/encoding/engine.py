"""DuckDB: how the SQL of `zoo.encoding.sql` is run on one machine."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(I?)B", re.IGNORECASE)


def memory_bytes(memory_limit: str) -> int:
    """Reads a size such as `"2GB"`.

    Raises:
        ValueError: unless the text is a positive number and a unit.
    """
    # DuckDB takes "-1GB" for no limit at all.
    match = isinstance(memory_limit, str) and _SIZE.fullmatch(memory_limit)
    if not match or float(match.group(1)) == 0:
        raise ValueError(
            "`memory_limit` must be a positive number and a unit, such as "
            f"'500MB' or '2GB'. Received: memory_limit={memory_limit!r}"
        )
    number, prefix, binary = match.groups()
    power = " KMGT".index(prefix.upper() or " ")
    return int(float(number) * (1024 if binary else 1000) ** power)


def connect(folder: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Opens a database on disk that stays within a memory limit.

    Args:
        folder: path of an existing folder. Holds the tables and what does not
            fit into memory.
        memory_limit: string such as `"2GB"`.
    """
    connection = duckdb.connect(
        str(folder / "log.duckdb"),
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(folder / "spilled"),
            "threads": str(_num_cores()),
            # Rows carry their number, so nothing has to be kept in order.
            "preserve_insertion_order": "false",
        },
    )
    # The database is deleted after use: tidying it up would be lost work.
    connection.execute("pragma disable_checkpoint_on_shutdown")
    return connection


def _num_cores() -> int:
    # Containers and batch systems lend fewer cores than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_batches(
    connection: duckdb.DuckDBPyConnection, query: str, batch_size: int
) -> pa.RecordBatchReader:
    """Runs a query whose result comes in Arrow batches of bounded size."""
    relation = connection.sql(query)
    # DuckDB renamed it; the old name warns in the new versions.
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(batch_size)
    return relation.fetch_arrow_reader(batch_size)


@contextlib.contextmanager
def clear_errors(
    memory_limit: str, output: str | os.PathLike
) -> Iterator[None]:
    """Says what to do when memory or disk run out; lets Ctrl-C be Ctrl-C.

    Raises:
        ValueError: where the memory limit was too small.
        OSError: where the disk of `output` was full.
    """
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        # What becomes of Ctrl-C while a query runs differs between versions.
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise
    except (duckdb.Error, OSError) as error:
        if _is_disk_full(error):
            raise OSError(
                errno.ENOSPC,
                "The disk is full. While it works, `prepare` needs about "
                "twice the size of the raw log beside `output`; free "
                "some space or choose an `output` on another disk. "
                f"Received: output={os.fspath(output)}",
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise ValueError(
                "`memory_limit` is too small for this log: give more, or "
                "raise `min_count` to shorten the vocabularies. "
                f"Received: memory_limit={memory_limit!r}"
            ) from error
        raise


def _is_disk_full(error: Exception) -> bool:
    if getattr(error, "errno", None) == errno.ENOSPC:
        return True
    # DuckDB reports both a full disk and its cap on spilled data (nine tenths
    # of the free space) in words only.
    text = str(error)
    return "No space left" in text or "max_temp_directory_size" in text
