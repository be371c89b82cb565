"""Runs the encoding with DuckDB on one machine, within a memory limit."""

import contextlib
import os
from collections.abc import Collection
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from zoo.encoding import list_sql
from zoo.encoding import rules_sql
from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.duckdb_lists import ListFile
from zoo.encoding.duckdb_lists import stage_lists
from zoo.encoding.duckdb_queries import define_functions
from zoo.encoding.duckdb_queries import read_batches
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.row_files import ROWS_PER_BATCH
from zoo.encoding.row_files import Column
from zoo.encoding.row_files import PartWriter
from zoo.encoding.row_files import RowLayout
from zoo.encoding.row_files import labels_of
from zoo.encoding.row_files import matrices
from zoo.encoding.row_files import part_name
from zoo.encoding.row_files import weights_of
from zoo.raw.log_format import LogFormat
from zoo.raw.source import Source
from zoo.runtime.processor import num_cores
from zoo.runtime.progress import Stages

# For the text and rows outside of DuckDB.
_RESERVED_BYTES = 450_000_000
# Ids looked up at a time: 64 MB.
_ROWS_PER_LOOKUP = 1 << 24


class DuckDBEngine:
    """An `Engine` of `zoo.encoding.engine` in this process.

    Args:
        folder: path of an existing folder, for tables and what does not fit
            into memory.
        memory_bytes: integer. Memory that this process may use, including
            what it uses already. DuckDB gets the rest, but never less than a
            quarter.
    """

    def __init__(self, folder: Path, memory_bytes: int):
        _check_path(folder)
        self._folder = folder
        share = memory_bytes - _resident_bytes() - _RESERVED_BYTES
        share = max(share, memory_bytes // 4)
        try:
            self._connection = duckdb.connect(
                str(folder / "log.duckdb"),
                config={
                    "memory_limit": f"{share // 1000}KB",
                    "temp_directory": str(folder / "spilled"),
                    "threads": str(num_cores()),
                },
            )
            # The database is deleted after use: tidying up is lost work.
            self._connection.execute("pragma disable_checkpoint_on_shutdown")
            # DuckDB refuses this setting in a notebook without ipywidgets,
            # where it has no progress bar.
            with contextlib.suppress(duckdb.InvalidInputException):
                self._connection.execute("set enable_progress_bar = false")
            # Each field is a query over the same files.
            self._connection.execute("set parquet_metadata_cache = true")
            define_functions(self._connection)
        except duckdb.OutOfMemoryException as error:
            raise _too_little_memory(share) from error
        self._share = share

    def __enter__(self) -> "DuckDBEngine":
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._connection.close()
        # Versions of DuckDB raise different errors at Ctrl-C.
        if (
            isinstance(error, duckdb.InterruptException | RuntimeError)
            and "interrupted" in str(error).lower()
        ):
            raise KeyboardInterrupt from error
        if isinstance(
            error, duckdb.OutOfMemoryException
        ) and "max_temp_directory_size" not in str(error):
            raise _too_little_memory(self._share) from error

    def stage(
        self, source: Source, log_format: LogFormat, origin: str, stages: Stages
    ) -> None:
        bad_row = rules_sql.first_bad_row(log_format, source.joins_lists)
        select = sql.staged(log_format, origin)
        lists = list_sql.list_columns(log_format, source.joins_lists)
        select_lists = list_sql.staged_lists(origin, lists)
        stages.start(f"Reading {Path(source.name).name}", source.size)
        # Writing Parquet takes half as long as a table of DuckDB.
        paths: list[Path] = []
        list_paths: list[Path] = []
        for table, progress in source.tables():
            self._connection.register("raw", table)
            row_id = self.fetch(bad_row)[0][0]
            if row_id is not None:
                source.raise_first_bad_row(row_id)
            paths.append(self._folder / f"staged_{len(paths)}.parquet")
            self._connection.execute(
                f"copy ({select}) to {_text(paths[-1])} (format parquet)"
            )
            if lists:
                list_paths.append(
                    self._folder / f"staged_lists_{len(list_paths)}.parquet"
                )
                stage_lists(
                    self._connection, select_lists, log_format, list_paths[-1]
                )
            self._connection.unregister("raw")
            stages.reach(progress)
        if not paths:
            raise ValueError(
                "`source` must hold at least one row. "
                f"Received: source={source.name}"
            )
        self._open("staged", paths)
        if lists:
            self._open("staged_lists", list_paths)

    def fetch(self, query: str) -> list[tuple]:
        return self._connection.execute(query).fetchall()

    def _open(self, name: str, paths: list[Path]) -> None:
        """Makes a view of Parquet files."""
        files = ", ".join(map(_text, paths))
        # A folder of the output may be called `label=1`.
        read = f"read_parquet([{files}], hive_partitioning = false)"
        self.create_view(name, f"select * from {read}")

    def create_view(self, name: str, query: str) -> None:
        self._connection.execute(f"create view {name} as {query}")

    def create_table(self, name: str, query: str) -> None:
        self._connection.execute(f"create table {name} as {query}")

    def read_table(self, name: str, path: Path) -> None:
        self._connection.execute(
            f"create table {name} (token varchar, id int, count bigint)"
        )
        with pa.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(
                columns=vocabulary_file.SCHEMA.names
            ):
                self._connection.register("tokens", pa.table(batch))
                self._connection.execute(
                    f"insert into {name} select token, id, count from tokens"
                )
                self._connection.unregister("tokens")

    def write_table(self, name: str, path: Path) -> None:
        query = f"select token, id, count from {name} order by id"
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            read_batches(self._connection, query, ROWS_PER_BATCH) as reader,
            pa.parquet.ParquetWriter(path, vocabulary_file.SCHEMA) as writer,
        ):
            for batch in reader:
                writer.write_batch(batch.cast(vocabulary_file.SCHEMA))

    def write_splits(
        self,
        encoder: ClickEncoder,
        by_value: Collection[str],
        counts: dict[str, int],
        folder: Path,
        stages: Stages,
    ) -> dict[str, dict[str, Any]]:
        log_format = encoder.log_format
        num_rows = sum(counts.values())
        stages.start("Looking up ids", len(log_format.token_columns))
        paths, lists = [], []
        for field, name in enumerate(log_format.categorical):
            paths.append(self._folder / f"ids_{field}")
            self._write_ids(
                encoder, name in by_value, field, num_rows, paths[-1]
            )
            stages.advance()
        for i, name in enumerate(log_format.sequences):
            lists.append(ListFile(self._folder / f"list_{i}"))
            lists[-1].write(
                self._connection, encoder, i, name in by_value, num_rows
            )
            stages.advance()
        stages.start("Writing", num_rows)
        layout = RowLayout.of(encoder.schema)
        writers = {}
        for split in counts:
            (folder / split).mkdir()
            writers[split] = PartWriter(folder / split / part_name(0), layout)
        for splits, label, inputs, weight in self._rows(encoder, paths, lists):
            for name, writer in writers.items():
                chosen = pa.compute.equal(splits, name)
                writer.write(
                    _chosen(label, chosen),
                    {n: _chosen(x, chosen) for n, x in inputs.items()},
                    None if weight is None else _chosen(weight, chosen),
                )
            stages.advance(len(label))
        return {split: writer.close() for split, writer in writers.items()}

    def _write_ids(
        self,
        encoder: ClickEncoder,
        by_value: bool,
        field: int,
        num_rows: int,
        path: Path,
    ) -> None:
        """Writes the ids of one field, all rows in order, to a file.

        Only one vocabulary is in memory at a time. Rows need no sorting: the
        row number is the place of an id.
        """
        name = f"field_{field}"
        settings = encoder.settings
        with path.open("wb") as file:
            for start in range(0, num_rows, _ROWS_PER_LOOKUP):
                end = min(start + _ROWS_PER_LOOKUP, num_rows)
                where = f"log.row_id >= {start} and log.row_id < {end}"
                query = sql.encoded(
                    settings.dense_transform,
                    [],
                    [field],
                    settings.num_buckets,
                    where=where,
                    by_value=[field] if by_value else [],
                )
                ids: np.ndarray = np.empty(end - start, "int32")
                with read_batches(
                    self._connection, query, ROWS_PER_BATCH
                ) as reader:
                    for batch in reader:
                        rows = batch.column("row_id").to_numpy() - start
                        ids[rows] = batch.column(name).to_numpy()
                # `tofile` does not report a full disk.
                file.write(ids.data)

    def _rows(
        self, encoder: ClickEncoder, paths: list[Path], lists: list[ListFile]
    ) -> Iterator[
        tuple[pa.Array, np.ndarray, dict[str, Column], np.ndarray | None]
    ]:
        """Yields splits, labels, inputs and weights in the order of the log."""
        log_format, settings = encoder.log_format, encoder.settings
        num_dense = len(log_format.dense)
        labels = log_format.label_sql_names
        has_weight = log_format.weight is not None
        query = sql.encoded(
            settings.dense_transform,
            encoder.dense_ranges,
            [],
            settings.num_buckets,
            ("split", *labels, *(["weight"] if has_weight else [])),
        )
        files = [path.open("rb") for path in paths]
        row = 0
        try:
            with read_batches(
                self._connection, query, ROWS_PER_BATCH
            ) as batches:
                for batch in batches:
                    count = batch.num_rows
                    # DuckDB keeps the order of rows in a plain scan.
                    expected = np.arange(row, row + count)
                    if (batch.column("row_id").to_numpy() != expected).any():
                        raise RuntimeError("DuckDB changed the order of rows")
                    inputs: dict = matrices(batch, num_dense, [])
                    ids = np.empty((count, len(files)), "int32")
                    for i, file in enumerate(files):
                        ids[:, i] = np.fromfile(file, "int32", count)
                    inputs["ids"] = ids
                    for i, file_of_lists in enumerate(lists):
                        inputs[f"sequence_{i}"] = file_of_lists.read(count)
                    label = labels_of(batch, len(labels))
                    weight = weights_of(batch) if has_weight else None
                    yield batch.column("split"), label, inputs, weight
                    row += count
        finally:
            for file in files:
                file.close()
            for file_of_lists in lists:
                file_of_lists.close()


def _chosen(rows: Column, chosen: pa.BooleanArray) -> Column:
    if isinstance(rows, pa.Array):
        return rows.filter(chosen)
    return rows[chosen.to_numpy(zero_copy_only=False)]


def _check_path(folder: Path) -> None:
    """Raises for a path that DuckDB can't make a database in."""
    if set("?\\") & set(folder.absolute().as_posix()):
        raise ValueError(
            "`output` must have neither `?` nor a backslash in its path, which "
            f"DuckDB takes for something else. Received: output={folder}"
        )


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _too_little_memory(share: int) -> ValueError:
    return ValueError(
        "`memory_limit` is too small for this log: give more, or raise "
        "`min_count` to shorten the vocabularies. Received: a limit that "
        f"leaves {share / 1e6:.1f} MB to DuckDB"
    )


def _resident_bytes() -> int:
    """The memory that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        # Not Linux: Python with Keras and its largest backend.
        return 800_000_000
