"""Keeps lists out of memory while DuckDB encodes a log."""

from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet

from zoo.encoding import list_sql
from zoo.encoding import sql
from zoo.encoding.duckdb_queries import read_batches
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.list_ids import place_ids
from zoo.encoding.list_ids import row_lengths
from zoo.encoding.row_files import ROWS_PER_BATCH
from zoo.raw.log_format import LogFormat

# In a row group of staged lists, and so in a batch of DuckDB.
_TOKENS_PER_GROUP = 1 << 20
# Ids looked up at a time, 128 MB. DuckDB hashes the vocabulary each time.
_IDS_PER_LOOKUP = 1 << 25
# No dictionary of a row group is larger.
_DICTIONARY_BYTES = 1 << 26


def stage_lists(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    log_format: LogFormat,
    path: Path,
) -> None:
    """Writes the result of a query, `staged_lists`, to a Parquet file.

    Arrow writes lists twice as fast as DuckDB, and with dictionaries DuckDB
    counts their tokens twice as fast.
    """
    longest = sum(c.max_length for c in log_format.sequences.values())
    rows = max(1, min(ROWS_PER_BATCH, _TOKENS_PER_GROUP // longest))
    with (
        read_batches(connection, query, rows) as reader,
        pa.parquet.ParquetWriter(
            path,
            reader.schema,
            compression="lz4",
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        ) as writer,
    ):
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]), rows)


class ListFile:
    """The ids of a list in every row, in the order of the rows.

    Args:
        path: path of the file with the ids. The lengths are beside it.
    """

    def __init__(self, path: Path):
        self._ids = path
        self._lengths = path.with_name(f"{path.name}_lengths")
        self._files: list[IO[bytes]] = []

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        encoder: ClickEncoder,
        number: int,
        by_value: bool,
        num_rows: int,
    ) -> None:
        """Looks up the ids of a list, some rows at a time.

        Args:
            number: integer. Number of the list.
            by_value: as `sql.encoded_events` takes it.
            num_rows: integer. Rows of the log.
        """
        log_format = encoder.log_format
        name, column = list(log_format.sequences.items())[number]
        vocabulary = log_format.vocabularies.index(
            log_format.vocabulary_of(name)
        )
        step = max(1, _IDS_PER_LOOKUP // column.max_length)
        # DuckDB counts a list as one row. It would therefore hold the lists in
        # memory instead of the vocabulary, and spill them to disk.
        connection.execute("set disabled_optimizers = 'build_side_probe_side'")
        with self._ids.open("wb") as ids_file, self._lengths.open("wb") as file:
            for start in range(0, num_rows, step):
                end = min(start + step, num_rows)
                rows = f"row_id >= {start} and row_id < {end}"
                query = list_sql.lengths(number, rows)
                with read_batches(connection, query, ROWS_PER_BATCH) as reader:
                    lengths = row_lengths(reader, start, end - start)
                ends = np.cumsum(lengths, dtype="int64")
                ids: np.ndarray = np.empty(int(ends[-1]), "int32")
                query = sql.encoded_events(
                    number,
                    vocabulary,
                    encoder.settings.num_buckets,
                    by_value,
                    f"events.{rows.replace('and ', 'and events.')}",
                )
                with read_batches(connection, query, ROWS_PER_BATCH) as reader:
                    place_ids(reader, start, ends - lengths, ids)
                # `tofile` does not report a full disk.
                file.write(lengths.data)
                ids_file.write(ids.data)
        connection.execute("reset disabled_optimizers")

    def read(self, num_rows: int) -> pa.ListArray:
        """The lists of the next rows."""
        if not self._files:
            self._files = [p.open("rb") for p in (self._lengths, self._ids)]
        lengths_file, ids_file = self._files
        lengths = np.fromfile(lengths_file, "int32", num_rows)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        ids = np.fromfile(ids_file, "int32", int(offsets[-1]))
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), pa.array(ids)
        )

    def close(self) -> None:
        for file in self._files:
            file.close()
