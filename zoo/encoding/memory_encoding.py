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

    Vocabularies are loaded into an in-memory database at the first call.
    Several threads may encode at a time.

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
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def encode(
        self, raw: pa.Table, raise_bad_row: Callable[[int], None]
    ) -> dict[str, np.ndarray]:
        """Encodes rows in their order.

        Args:
            raw: `raw` of `zoo.encoding.sql`.
            raise_bad_row: is called with the number of the first row whose
                text breaks a rule, and raises.
        """
        log_format = self._settings.log_format
        num_dense = len(log_format.dense)
        fields = range(len(log_format.categorical))
        # Each call has a cursor, because threads may not share one.
        with self._connected().cursor() as cursor:
            cursor.register("raw", raw)
            query = sql.first_bad_number(num_dense, log_format.dense_type)
            row = cursor.execute(query).fetchall()[0][0] if query else None
            if row is not None:
                raise_bad_row(row)
            features = sql.features(num_dense, len(fields))
            encoded = sql.encoded(
                self._settings.dense_transform,
                self._dense_ranges,
                fields,
                self._settings.num_buckets,
            )
            query = f"with log as ({features}) {encoded} order by row_id"
            with read_batches(cursor, query, _BATCH_ROWS) as reader:
                return matrices(reader.read_all(), num_dense, fields)

    def _connected(self) -> duckdb.DuckDBPyConnection:
        """A database with the tables `vocabulary_0`, ..., made once."""
        with self._lock:
            if self._connection is None:
                paths = self._vocabularies.paths()
                connection = duckdb.connect()
                define_functions(connection)
                for i, path in enumerate(paths):
                    connection.register("tokens", vocabulary_file.read(path))
                    connection.execute(
                        f"create table vocabulary_{i} as select * from tokens"
                    )
                    connection.unregister("tokens")
                self._connection = connection
            return self._connection
