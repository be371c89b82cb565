"""The fitted encoder: what turns raw rows into the inputs of a model."""

import json
import os
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet

from zoo.encoding import sql
from zoo.encoding.engine import read_batches
from zoo.encoding.log_format import LogFormat
from zoo.encoding.matrices import matrices
from zoo.encoding.rows import raw_table
from zoo.features import FeatureSchema

_BATCH_ROWS = 1 << 16
_VOCABULARY = pa.schema(
    [("token", pa.string()), ("id", pa.int32()), ("count", pa.int64())]
)


class ClickEncoder:
    """Turns raw rows of a click log into dense columns and integer ids.

    `prepare` fits one on a log and saves it beside the encoded data; `load`
    brings it back to encode rows in memory, with the same SQL and therefore
    the same result.

    Ids count per field: 0 is a missing value, 1 one that is not in the
    vocabulary, and from 2 on follow the tokens by falling frequency in the
    training split, ties by token. Integer columns become float32, a missing
    value first becoming 0:

    - `"minmax"`: to `[0, 1]` by the smallest and largest value of the training
      split, clipped outside of it; 0 in a column with one value;
    - `"log"`: `sign(x) * ln(1 + |x|)`;
    - `"none"`: the number itself.

    Args:
        log_format: `LogFormat` of the log.
        dense_transform: `"minmax"`, `"log"` or `"none"`. Defaults to
            `"minmax"`, the CowClip paper's.
        min_count: integer. Tokens that are rarer in the training split are
            left out of the vocabulary. Defaults to `1`.

    Raises:
        ValueError: for an unknown transform or a `min_count` below 1.

    Example:

    ```python
    encoder = ClickEncoder.load("criteo/encoder")
    inputs = encoder.encode([{"I1": 3, ..., "C26": "9727dd16"}])
    probability = model.predict(inputs)
    ```
    """

    def __init__(
        self,
        log_format: LogFormat,
        dense_transform: str = "minmax",
        min_count: int = 1,
    ):
        if dense_transform not in sql.DENSE_TRANSFORMS:
            raise ValueError(
                f"`dense_transform` must be one of {sql.DENSE_TRANSFORMS}. "
                f"Received: dense_transform={dense_transform!r}"
            )
        if (
            not isinstance(min_count, int)
            or isinstance(min_count, bool)
            or min_count < 1
        ):
            raise ValueError(
                "`min_count` must be a positive integer. "
                f"Received: min_count={min_count!r}"
            )
        self.log_format = log_format
        self.dense_transform = dense_transform
        self.min_count = min_count
        # The connection holds the tables `vocabulary_0`, ...
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._ranges: list[tuple[int, int]] = []
        self._num_tokens: list[int] = []

    @property
    def num_tokens(self) -> tuple[int, ...]:
        """The number of tokens in the vocabulary of each field."""
        self._fitted()
        return tuple(self._num_tokens)

    @property
    def schema(self) -> FeatureSchema:
        """The columns of the encoded rows; their label is called "label"."""
        self._fitted()
        fields = zip(self.log_format.categorical, self._num_tokens, strict=True)
        return FeatureSchema(
            dense=self.log_format.dense,
            categorical={n: size + sql.FIRST_ID for n, size in fields},
        )

    def fit(
        self,
        connection: duckdb.DuckDBPyConnection,
        on_field: Callable[[], None] = lambda: None,
    ) -> "ClickEncoder":
        """Fits on the training rows of the table `log` of a database.

        The vocabularies stay in the database, so that they may be larger than
        memory: keep it open as long as the encoder is used.

        Args:
            connection: DuckDB connection with the table `log` of
                `zoo.encoding.sql`.
            on_field: called after each field.
        """
        num_dense = len(self.log_format.dense)
        self._ranges = []
        if num_dense:
            query = sql.dense_ranges(num_dense)
            row = connection.execute(query).fetchall()[0]
            self._ranges = list(zip(row[0::2], row[1::2], strict=True))
        self._num_tokens = []
        for i in range(len(self.log_format.categorical)):
            query = sql.vocabulary(i, self.min_count)
            connection.execute(f"create table vocabulary_{i} as {query}")
            count = f"select count(*) from vocabulary_{i}"
            self._num_tokens.append(connection.execute(count).fetchall()[0][0])
            on_field()
        self._connection = connection
        return self

    def encode(self, rows: Any) -> dict[str, np.ndarray]:
        """Encodes raw rows in memory.

        Args:
            rows: list of dicts, pandas DataFrame or pyarrow Table that has the
                dense and categorical columns by name; others are ignored.
                `None`, `NaN` and `""` are missing. Integers are taken as their
                text, and so are integral floats, into which pandas turns
                integers beside missing values.

        Returns:
            `{"dense": (n, num_dense) float32, "ids": (n, num_fields) int32}`,
            in the order of the rows.

        Raises:
            ValueError: naming column and row, for a missing column or a value
                that is none of these, or text in an integer column.
        """
        raw = raw_table(rows, self.log_format)
        num_dense = len(self.log_format.dense)
        fields = range(len(self.log_format.categorical))
        # A cursor of its own, so that several threads may encode at a time.
        with self._fitted().cursor() as cursor:
            cursor.register("raw", raw)
            self._check_integers(cursor, raw)
            typed = sql.typed(num_dense, len(fields))
            query = f"with log as ({typed}) {self.query()}"
            with read_batches(cursor, query, _BATCH_ROWS) as reader:
                return matrices(reader.read_all(), num_dense, fields)

    def query(
        self,
        split: str | None = None,
        dense: bool = True,
        fields: Sequence[int] | None = None,
    ) -> str:
        """The SQL that encodes `log`, or some columns of it.

        See `zoo.encoding.sql.encoded`.
        """
        self._fitted()
        if fields is None:
            fields = range(len(self.log_format.categorical))
        ranges = self._ranges if dense else []
        return sql.encoded(self.dense_transform, ranges, fields, split)

    def save(self, folder: str | os.PathLike) -> None:
        """Writes `encoder.json` and `vocabulary/<field>.parquet`.

        Args:
            folder: path. Made if it does not exist.
        """
        connection = self._fitted()
        folder = Path(folder)
        (folder / "vocabulary").mkdir(parents=True, exist_ok=True)
        for i, field in enumerate(self.log_format.categorical):
            path = _vocabulary_path(folder, field)
            query = f"select * from vocabulary_{i} order by id"
            with (
                connection.cursor() as cursor,
                read_batches(cursor, query, _BATCH_ROWS) as reader,
                pa.parquet.ParquetWriter(path, _VOCABULARY) as writer,
            ):
                for batch in reader:
                    writer.write_batch(batch.cast(_VOCABULARY))
        config = {
            "log_format": asdict(self.log_format),
            "dense_transform": self.dense_transform,
            "min_count": self.min_count,
            "dense_ranges": self._ranges,
            "num_tokens": self._num_tokens,
        }
        text = json.dumps(config, indent=2) + "\n"
        (folder / "encoder.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "ClickEncoder":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: naming the file that is missing.
            ValueError: naming the file that does not fit the others.
        """
        folder = Path(folder)
        path = folder / "encoder.json"
        _check_present(path)
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            encoder = cls(
                LogFormat(**config["log_format"]),
                config["dense_transform"],
                config["min_count"],
            )
            encoder._ranges = [
                (int(a), int(b)) for a, b in config["dense_ranges"]
            ]
            encoder._num_tokens = [int(n) for n in config["num_tokens"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: must be what `ClickEncoder.save` wrote. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
        encoder._connection = encoder._loaded(folder)
        return encoder

    def _loaded(self, folder: Path) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        for i, field in enumerate(self.log_format.categorical):
            path = _vocabulary_path(folder, field)
            _check_present(path)
            tokens = pa.parquet.read_table(path, columns=_VOCABULARY.names)
            if tokens.num_rows != self._num_tokens[i]:
                raise ValueError(
                    f"{path}: must hold the {self._num_tokens[i]} tokens that "
                    "encoder.json beside it speaks of. "
                    f"Received: {tokens.num_rows} tokens"
                )
            connection.register("tokens", tokens)
            connection.execute(
                f"create table vocabulary_{i} as select * from tokens"
            )
            connection.unregister("tokens")
        return connection

    def _fitted(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise ValueError(
                "The encoder must be fitted first: use `prepare`, or "
                "`ClickEncoder.load` on the folder `encoder` that it made. "
                "Received: an encoder without vocabularies"
            )
        return self._connection

    def _check_integers(
        self, cursor: duckdb.DuckDBPyConnection, raw: pa.Table
    ) -> None:
        for i, name in enumerate(self.log_format.dense):
            column = f"dense_{i}"
            condition = sql.bad_integer(column)
            query = f"select min(row_id) from raw where {condition}"
            row = cursor.execute(query).fetchall()[0][0]
            if row is not None:
                raise ValueError(
                    f"`rows` must have an integer of at most 18 digits or "
                    f"nothing in column '{name}', and row {row} does not. "
                    f"Received: {raw[column][row].as_py()!r}"
                )


def _vocabulary_path(folder: Path, field: str) -> Path:
    # A field may be called anything, a file may not.
    return folder / "vocabulary" / f"{quote(field, safe=' ')}.parquet"


def _check_present(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            "The folder of an encoder must be one that `ClickEncoder.save` "
            f"wrote, and a file is missing. Received: {path}"
        )
