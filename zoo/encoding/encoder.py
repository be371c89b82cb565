"""The fitted encoder: what turns raw rows into the inputs of a model."""

import json
import os
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.duckdb_queries import define_functions
from zoo.encoding.duckdb_queries import read_batches
from zoo.encoding.row_files import matrices
from zoo.feature_schema import FeatureSchema
from zoo.raw.bad_line import NUMBERS
from zoo.raw.bad_line import broken_rule_of_value
from zoo.raw.log_format import LogFormat
from zoo.raw.rows_in_memory import raw_table
from zoo.raw.source import Source

_BATCH_ROWS = 1 << 16
_MOST_TOKENS = 2**31 - 1 - sql.FIRST_ID
ENCODER_FILE = "encoder.json"


class ClickEncoder:
    """Turns raw rows of a click log into dense columns and integer ids.

    `prepare` fits one on a log and saves it beside the encoded data; `load`
    brings it back to encode rows in memory, with the same SQL and therefore
    the same result.

    Ids count per field: 0 is a missing value, 1 one that is not in the
    vocabulary, and from 2 on follow the tokens by falling frequency in the
    training split, ties by token. With `num_buckets` there is no vocabulary:
    the id is `2 + hash(token) % num_buckets`, the same on every machine, in
    every version and engine (the hash is the first 60 bits of md5), and
    several tokens may share one. Numbers become float32, a missing value
    first becoming 0:

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
        max_vocabulary: integer. The number of tokens that a field's vocabulary
            keeps, the most frequent ones; `None` for all. Defaults to `None`.
        num_buckets: integer. The number of buckets that the tokens of every
            field are hashed to; `None` for vocabularies. Defaults to `None`.

    Raises:
        ValueError: for an unknown transform, a number below 1, or a limit to
            the vocabulary where there is none.

    Example:

    ```python
    encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
    row = dict.fromkeys(zoo.datasets.CRITEO.used)
    row.update(I1=3, C1="68fd1e64")  # all else is missing
    inputs = encoder.encode([row])
    probability = zoo.from_preset("runs/criteo").predict(inputs)
    ```
    """

    def __init__(
        self,
        log_format: LogFormat,
        dense_transform: str = "minmax",
        min_count: int = 1,
        max_vocabulary: int | None = None,
        num_buckets: int | None = None,
    ):
        if dense_transform not in sql.DENSE_TRANSFORMS:
            raise ValueError(
                f"`dense_transform` must be one of {sql.DENSE_TRANSFORMS}. "
                f"Received: dense_transform={dense_transform!r}"
            )
        _check_positive("min_count", min_count)
        for name, value in (
            ("max_vocabulary", max_vocabulary),
            ("num_buckets", num_buckets),
        ):
            if value is not None:
                _check_positive(name, value)
                if value > _MOST_TOKENS:
                    raise ValueError(
                        f"`{name}` must be at most {_MOST_TOKENS}: ids are "
                        f"int32. Received: {name}={value}"
                    )
        if num_buckets is not None and (min_count, max_vocabulary) != (1, None):
            raise ValueError(
                "`num_buckets` hashes the tokens, so that there is no "
                "vocabulary to limit. Received: "
                f"num_buckets={num_buckets}, min_count={min_count}, "
                f"max_vocabulary={max_vocabulary}"
            )
        self.log_format = log_format
        self.dense_transform = dense_transform
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.num_buckets = num_buckets
        self._dense_ranges: list[tuple[float, float]] | None = None
        self._num_tokens: list[int] = []
        # Where the vocabularies lie, and what their files must be.
        self._folder: Path | None = None
        self._checksums: list[str] = []
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    @property
    def is_fitted(self) -> bool:
        """Whether it has learned from a log, and can encode rows."""
        return self._dense_ranges is not None

    @property
    def num_tokens(self) -> tuple[int, ...]:
        """The number of tokens or buckets of each field."""
        self._check_fitted()
        return tuple(self._num_tokens)

    @property
    def dense_ranges(self) -> list[tuple[float, float]]:
        """The smallest and largest training value of each dense column."""
        self._check_fitted()
        assert self._dense_ranges is not None
        return self._dense_ranges

    @property
    def schema(self) -> FeatureSchema:
        """The columns of the encoded rows; their label is called "label"."""
        fields = zip(self.log_format.categorical, self.num_tokens, strict=True)
        return FeatureSchema(
            dense=self.log_format.dense,
            categorical={n: size + sql.FIRST_ID for n, size in fields},
        )

    @property
    def vocabulary_paths(self) -> list[Path]:
        """The file of each field's vocabulary, none if tokens are hashed.

        Raises:
            ValueError: if a file is not the one that was saved.
        """
        self._check_fitted()
        if self.num_buckets is not None:
            return []
        assert self._folder is not None
        paths = [
            vocabulary_file.path_of(self._folder, field)
            for field in self.log_format.categorical
        ]
        for path, checksum in zip(paths, self._checksums, strict=True):
            vocabulary_file.check(path, checksum)
        return paths

    def extends(self, older: "ClickEncoder") -> bool:
        """Whether rows that an older encoder knows have the same ids here.

        True of an encoder that was grown from it, and of an equal one.

        Args:
            older: `ClickEncoder`, fitted as this one.

        Raises:
            ValueError: if one of the two is not fitted.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/day_2/encoder")
        >>> encoder.extends(zoo.ClickEncoder.load("runs/criteo/encoder"))
        True
        """
        if (
            self.log_format != older.log_format
            or self.dense_transform != older.dense_transform
            or (
                self.dense_transform == "minmax"
                and self.dense_ranges != older.dense_ranges
            )
            or self.num_buckets != older.num_buckets
        ):
            return False
        for path, old_path in zip(
            self.vocabulary_paths, older.vocabulary_paths, strict=True
        ):
            columns = ["token", "id"]
            old = vocabulary_file.read(old_path).select(columns)
            new = vocabulary_file.read(path).select(columns)
            if new.slice(0, old.num_rows) != old:
                return False
        return True

    def unfitted(self) -> "ClickEncoder":
        """An encoder with the same settings and nothing learned.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        >>> encoder.unfitted().is_fitted
        False
        """
        return ClickEncoder(self.log_format, **self._settings())

    def set_fitted(
        self,
        dense_ranges: Sequence[tuple[float, float]],
        num_tokens: Sequence[int],
        folder: Path,
    ) -> None:
        """Takes over what was learned from a log.

        Args:
            dense_ranges: smallest and largest value of each dense column.
            num_tokens: number of tokens or buckets of each field.
            folder: path of the folder with the vocabularies.

        Raises:
            FileNotFoundError: if a vocabulary is missing.

        Example:

        >>> fitted = zoo.ClickEncoder.load("encoded/criteo/encoder")
        >>> encoder = fitted.unfitted()
        >>> encoder.set_fitted(
        ...     fitted.dense_ranges, fitted.num_tokens, "encoded/criteo/encoder"
        ... )
        >>> encoder.schema == fitted.schema
        True
        """
        self._dense_ranges = [(float(a), float(b)) for a, b in dense_ranges]
        self._num_tokens = [int(number) for number in num_tokens]
        self._folder = Path(folder).absolute()
        if self.num_buckets is None:
            self._checksums = [
                vocabulary_file.checksum(
                    vocabulary_file.path_of(self._folder, field)
                )
                for field in self.log_format.categorical
            ]

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
                that is none of these, or text in a dense column.
        """
        raw = raw_table(rows, self.log_format)
        return self._encode(raw, lambda row: self._raise_bad_number(raw, row))

    def encode_source(
        self, source: Source
    ) -> Iterator[tuple[dict[str, np.ndarray], int]]:
        """Encodes a log piece by piece, in memory that does not grow with it.

        Args:
            source: `Source`, of `zoo.raw.source.open_source` and the
                unlabeled format (`LogFormat.unlabeled`).

        Yields:
            What `encode` returns, for the next rows, and how much of
            `source.size` has been read.

        Raises:
            ValueError: naming file and line of a row that breaks a rule.

        Example:

        ```python
        encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        source = zoo.encoding.open_source(
            "raw.tsv", encoder.log_format.unlabeled()
        )
        for inputs, amount in encoder.encode_source(source):
            print(len(inputs["ids"]), "rows,", amount, "of", source.size)
        ```
        """
        for raw, amount in source.tables():
            yield self._encode(raw, source.raise_first_bad_row), amount

    def _encode(
        self, raw: pa.Table, raise_bad_row: Callable[[int], None]
    ) -> dict[str, np.ndarray]:
        num_dense = len(self.log_format.dense)
        fields = range(len(self.log_format.categorical))
        # A cursor of its own, so that several threads may encode at a time.
        with self._connected().cursor() as cursor:
            cursor.register("raw", raw)
            query = sql.first_bad_number(num_dense, self.log_format.dense_type)
            row = cursor.execute(query).fetchall()[0][0] if query else None
            if row is not None:
                raise_bad_row(row)
            features = sql.features(num_dense, len(fields))
            query = f"with log as ({features}) {self.query()} order by row_id"
            with read_batches(cursor, query, _BATCH_ROWS) as reader:
                return matrices(reader.read_all(), num_dense, fields)

    def query(
        self,
        dense: bool = True,
        fields: Sequence[int] | None = None,
        extra: Sequence[str] = (),
        where: str = "",
    ) -> str:
        """The SQL that encodes `log`, or some columns of it.

        See `zoo.encoding.sql.encoded`.

        Args:
            dense: boolean. Whether the dense columns are among them. Defaults
                to `True`.
            fields: integers, the places of the categorical columns. Defaults
                to `None`, all of them.
            extra: strings, further columns of `log` to keep. Defaults to none.
            where: string, a condition on the rows. Defaults to none.

        Raises:
            ValueError: if the encoder is not fitted.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        >>> "from log" in encoder.query(fields=[0, 1])
        True
        """
        if fields is None:
            fields = range(len(self.log_format.categorical))
        return sql.encoded(
            self.dense_transform,
            self.dense_ranges if dense else [],
            fields,
            self.num_buckets,
            extra,
            where,
        )

    def save(self, folder: str | os.PathLike) -> None:
        """Writes `encoder.json` and `vocabulary/<field>.parquet`.

        Args:
            folder: path. Made if it does not exist.

        Raises:
            ValueError: if the encoder is not fitted, or one of its files has
                changed.

        Example:

        ```python
        encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        encoder.save("served/encoder")
        ```
        """
        self._check_fitted()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path, field in zip(
            self.vocabulary_paths, self.log_format.categorical, strict=False
        ):
            vocabulary_file.copy(path, vocabulary_file.path_of(folder, field))
        config = {
            "log_format": asdict(self.log_format),
            **self._settings(),
            "dense_ranges": self._dense_ranges,
            "num_tokens": self._num_tokens,
            "vocabulary_sha256": self._checksums,
        }
        text = json.dumps(config, indent=2) + "\n"
        (folder / ENCODER_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "ClickEncoder":
        """Reads what `save` wrote; vocabularies only when they are needed.

        Args:
            folder: path that `save` was given.

        Raises:
            FileNotFoundError: if a file is missing.
            ValueError: if a file is not what `save` wrote.
        """
        # Vocabularies are read later, wherever the process is by then.
        folder = Path(folder).absolute()
        path = folder / ENCODER_FILE
        vocabulary_file.check_present(path)
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            encoder = cls(
                LogFormat(**config.pop("log_format")),
                **{name: config.pop(name) for name in _SETTINGS},
            )
            encoder._dense_ranges = [
                (float(low), float(high))
                for low, high in config["dense_ranges"]
            ]
            encoder._num_tokens = [int(n) for n in config["num_tokens"]]
            encoder._checksums = [str(s) for s in config["vocabulary_sha256"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: must be what `ClickEncoder.save` wrote. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
        encoder._folder = folder
        if encoder.num_buckets is None:
            for i, field in enumerate(encoder.log_format.categorical):
                vocabulary_file.check_size(
                    vocabulary_file.path_of(folder, field),
                    encoder._num_tokens[i],
                )
        return encoder

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SETTINGS}

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise ValueError(
                "The encoder must be fitted first: use `prepare`, or "
                "`ClickEncoder.load` on the folder `encoder` that it made. "
                "Received: an encoder without vocabularies"
            )

    def _connected(self) -> duckdb.DuckDBPyConnection:
        """A database with the tables `vocabulary_0`, ..., made once."""
        with self._lock:
            if self._connection is None:
                paths = self.vocabulary_paths
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

    def _raise_bad_number(self, raw: pa.Table, row: int) -> None:
        for i, name in enumerate(self.log_format.dense):
            value = raw[f"dense_{i}"][row].as_py() or ""
            if broken_rule_of_value(name, value, self.log_format):
                raise ValueError(
                    f"`rows` must have {NUMBERS[self.log_format.dense_type]} "
                    f"in column '{name}', and row {row} does not. "
                    f"Received: {value!r}"
                )


_SETTINGS = ("dense_transform", "min_count", "max_vocabulary", "num_buckets")


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
