"""Defines the engine that `prepare` encodes a log with."""

import contextlib
import errno
import os
import re
from collections.abc import Collection
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Protocol

from zoo.encoding.encoder import ClickEncoder
from zoo.raw.log_format import LogFormat
from zoo.raw.source import Source
from zoo.runtime.progress import Stages

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(I?)B", re.IGNORECASE)


class Engine(Protocol):
    """Runs the SQL of `zoo.encoding.sql`; a context manager.

    Tables live as long as the engine.
    """

    def __enter__(self) -> "Engine": ...

    def __exit__(self, *exception: Any) -> None: ...

    def stage(
        self, source: Source, log_format: LogFormat, origin: str, stages: Stages
    ) -> None:
        """Parses a raw log, once, into `staged` and, if any, `staged_lists`.

        Raises:
            ValueError: for the first row that breaks a rule, saying where.
        """

    def fetch(self, query: str) -> list[tuple]:
        """Runs a query with few rows as its result."""

    def create_view(self, name: str, query: str) -> None: ...

    def create_table(self, name: str, query: str) -> None: ...

    def read_table(self, name: str, path: Path) -> None:
        """Makes a table of a vocabulary file."""

    def write_table(self, name: str, path: Path) -> None:
        """Writes a table as a vocabulary file, in the order of its ids."""

    def write_splits(
        self,
        encoder: ClickEncoder,
        by_value: Collection[str],
        counts: dict[str, int],
        folder: Path,
        stages: Stages,
    ) -> dict[str, dict[str, Any]]:
        """Encodes `log` into `folder/<split>/part-*.arrow`.

        Args:
            encoder: `ClickEncoder`, whose vocabularies are tables.
            by_value: names of the columns that are looked up by value.
            counts: the number of rows of each split.

        Returns:
            dict from splits to the summary of `row_files.SplitStatistics`.
        """


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


@contextlib.contextmanager
def clear_disk_errors(output: str | os.PathLike) -> Iterator[None]:
    """Turns the errors of a full disk into advice.

    Raises:
        OSError: where the disk of `output` was full.
    """
    try:
        yield
    except Exception as error:
        if not _is_disk_full(error):
            raise
        raise OSError(
            errno.ENOSPC,
            "The disk is full. While it works, `prepare` needs about "
            "twice the size of the raw log beside `output`; free "
            "some space or choose an `output` on another disk. "
            f"Received: output={os.fspath(output)}",
        ) from error


def _is_disk_full(error: Exception) -> bool:
    if getattr(error, "errno", None) == errno.ENOSPC:
        return True
    # DuckDB reports a full disk, and its cap on spilled data (nine tenths of
    # the free space), in words only. Spark passes on Java's words.
    text = str(error)
    return "No space left" in text or "max_temp_directory_size" in text
