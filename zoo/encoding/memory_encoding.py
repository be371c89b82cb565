"""Encodes raw rows in memory with DuckDB."""

import threading
from collections.abc import Callable
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.duckdb_queries import define_functions
from zoo.encoding.duckdb_queries import read_batches
from zoo.encoding.encoder_settings import EncoderSettings
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
        by_value: Sequence[int],
        raise_bad_row: Callable[[int], None],
    ) -> dict[str, np.ndarray]:
        """Encodes rows in their order.

        Args:
            raw: `raw` of `zoo.encoding.sql`.
            by_value: as `sql.encoded` takes it.
            raise_bad_row: is called with the number of the first row whose
                text breaks a rule, and raises.
        """
        log_format = self._settings.log_format
        num_dense = len(log_format.dense)
        fields = range(len(log_format.categorical))
        self._spell(by_value)
        # Each call has a cursor, because threads may not share one.
        with self.connect().cursor() as cursor:
            cursor.register("raw", raw)
            query = sql.first_bad_number(log_format)
            row = cursor.execute(query).fetchall()[0][0] if query else None
            if row is not None:
                raise_bad_row(row)
            features = sql.features(log_format)
            encoded = sql.encoded(
                self._settings.dense_transform,
                self._dense_ranges,
                fields,
                self._settings.num_buckets,
                by_value=by_value,
            )
            query = f"with log as ({features}) {encoded} order by row_id"
            with read_batches(cursor, query, _BATCH_ROWS) as reader:
                return matrices(reader.read_all(), num_dense, fields)

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

    def _spell(self, by_value: Sequence[int]) -> None:
        """Makes the tables `spelling_0`, ... that lack."""
        if self._settings.num_buckets is not None:
            return
        connection = self.connect()
        with self._lock:
            for i in by_value:
                connection.execute(
                    f"create table if not exists spelling_{i} as "
                    f"{sql.spelling(i)}"
                )

    def _read_tables(self) -> list[pa.Table]:
        """The vocabularies from memory, or else from their files."""
        if self._tables is not None:
            return self._tables
        if self._connection is None:
            return [vocabulary_file.read(p) for p in self._vocabularies.paths()]
        tables = []
        with self._connection.cursor() as cursor:
            for i in range(len(self._vocabularies.fields)):
                query = (
                    f"select token, id, count from vocabulary_{i} order by id"
                )
                with read_batches(cursor, query, _BATCH_ROWS) as reader:
                    tables.append(reader.read_all())
        return tables
