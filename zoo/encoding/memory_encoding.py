"""Encodes raw rows in memory with DuckDB."""

import threading
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from zoo.encoding import list_sql
from zoo.encoding import rules_sql
from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding import vocabulary_sql
from zoo.encoding.duckdb_queries import define_functions
from zoo.encoding.duckdb_queries import read_batches
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.list_ids import PADDING
from zoo.encoding.list_ids import place_ids
from zoo.encoding.list_ids import row_lengths
from zoo.encoding.row_files import matrices
from zoo.encoding.vocabularies import Vocabularies

_BATCH_ROWS = 1 << 16


class MemoryEncoding:
    """Runs the SQL of a fitted encoder on rows in memory.

    Vocabularies are loaded into an in-memory database by `connect` or at the
    first call, and travel with a pickled copy. Several threads may encode at a
    time.

    Args:
        settings: `EncoderSettings`.
        dense_ranges: the smallest and largest value of each dense column.
        vocabularies: `Vocabularies`.
    """

    def __init__(
        self,
        settings: EncoderSettings,
        dense_ranges: Sequence[tuple[float, float]],
        vocabularies: Vocabularies,
    ):
        self._settings = settings
        self._dense_ranges = dense_ranges
        self._vocabularies = vocabularies
        self._tables: list[pa.Table] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def __getstate__(self):
        # Neither a connection nor a lock can be sent to another process.
        state = {**self.__dict__, "_tables": self._read_tables()}
        del state["_connection"], state["_lock"]
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _connection=None, _lock=threading.Lock())

    def encode(
        self,
        raw: pa.Table,
        by_value: Collection[str],
        raise_bad_row: Callable[[int], None],
        joins_lists: bool = False,
    ) -> dict[str, np.ndarray]:
        """Encodes rows in their order.

        Args:
            raw: `raw` of `zoo.encoding.sql`.
            by_value: names of the columns that are looked up by value.
            raise_bad_row: is called with the number of the first row whose
                text breaks a rule, and raises.
            joins_lists: boolean. Whether a list is one text in `raw`.
        """
        log_format = self._settings.log_format
        num_dense = len(log_format.dense)
        fields = range(len(log_format.categorical))
        self._spell(by_value)
        # Each call has a cursor, because threads may not share one.
        with self.connect().cursor() as cursor:
            cursor.register("raw", raw)
            query = rules_sql.first_bad_features(log_format, joins_lists)
            row = cursor.execute(query).fetchall()[0][0] if query else None
            if row is not None:
                raise_bad_row(row)
            features = sql.features(log_format)
            encoded = sql.encoded(
                self._settings.dense_transform,
                self._dense_ranges,
                fields,
                self._settings.num_buckets,
                by_value=[
                    i
                    for i, name in enumerate(log_format.categorical)
                    if name in by_value
                ],
            )
            query = f"with log as ({features}) {encoded} order by row_id"
            with read_batches(cursor, query, _BATCH_ROWS) as reader:
                inputs = matrices(reader.read_all(), num_dense, fields)
            if log_format.sequences:
                lists = list_sql.list_columns(log_format, joins_lists)
                # Not read for each list anew.
                cursor.execute(
                    "create or replace temporary table log_lists as "
                    "select *, null as split from "
                    f"({list_sql.staged_lists('null', lists)}) as staged"
                )
                first_row = raw["row_id"][0].as_py() if raw.num_rows else 0
                for i, name in enumerate(log_format.sequences):
                    inputs[name] = self._encode_list(
                        cursor, i, name in by_value, first_row, raw.num_rows
                    )
            return inputs

    def _encode_list(
        self,
        cursor: duckdb.DuckDBPyConnection,
        number: int,
        by_value: bool,
        first_row: int,
        num_rows: int,
    ) -> np.ndarray:
        """The ids of one list in each row, `(rows, max_length)`."""
        log_format = self._settings.log_format
        name, column = list(log_format.sequences.items())[number]
        vocabulary = log_format.vocabularies.index(
            log_format.vocabulary_of(name)
        )
        events = list_sql.events(log_format, number)
        encoded = sql.encoded_events(
            number, vocabulary, self._settings.num_buckets, by_value
        )
        shape = (num_rows, column.max_length)
        ids: np.ndarray = np.full(shape, PADDING, "int32")
        query = list_sql.lengths(number)
        with read_batches(cursor, query, _BATCH_ROWS) as reader:
            lengths = row_lengths(reader, first_row, num_rows)
        # The most recent event is at the end of its row.
        starts = np.arange(1, num_rows + 1) * column.max_length - lengths
        query = f"with events_{number} as ({events}) {encoded}"
        with read_batches(cursor, query, _BATCH_ROWS) as reader:
            place_ids(reader, first_row, starts, ids.reshape(-1))
        return ids

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A database with the tables `vocabulary_0`, ..., made once.

        Raises:
            FileNotFoundError: if a vocabulary is missing.
            ValueError: if a vocabulary has changed.
        """
        with self._lock:
            if self._connection is None:
                tables = self._read_tables()
                connection = duckdb.connect()
                define_functions(connection)
                for i, table in enumerate(tables):
                    connection.register("tokens", table)
                    connection.execute(
                        f"create table vocabulary_{i} as select * from tokens"
                    )
                    connection.unregister("tokens")
                self._connection, self._tables = connection, None
            return self._connection

    def _spell(self, by_value: Collection[str]) -> None:
        """Makes the tables `spelling_0`, ... that lack."""
        names = {
            self._settings.log_format.vocabulary_of(name) for name in by_value
        }
        connection = self.connect()
        with self._lock:
            for i, name in enumerate(self._settings.vocabulary_names):
                if name in names:
                    connection.execute(
                        f"create table if not exists spelling_{i} as "
                        f"{vocabulary_sql.spelling(i)}"
                    )

    def _read_tables(self) -> list[pa.Table]:
        """The vocabularies from memory, or else from their files."""
        if self._tables is not None:
            return self._tables
        if self._connection is None:
            return [vocabulary_file.read(p) for p in self._vocabularies.paths()]
        tables = []
        with self._connection.cursor() as cursor:
            for i in range(len(self._vocabularies.names)):
                query = (
                    f"select token, id, count from vocabulary_{i} order by id"
                )
                with read_batches(cursor, query, _BATCH_ROWS) as reader:
                    tables.append(reader.read_all())
        return tables
