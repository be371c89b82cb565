"""Turns raw rows into the inputs of a model."""

import json
import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import asdict
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.gaps import Gaps
from zoo.encoding.memory_encoding import MemoryEncoding
from zoo.encoding.vocabularies import Vocabularies
from zoo.feature_schema import FeatureSchema
from zoo.raw.columns import TEXT
from zoo.raw.log_format import LogFormat
from zoo.raw.rows_in_memory import raise_bad_row
from zoo.raw.rows_in_memory import raw_table
from zoo.raw.source import Source
from zoo.sequence import Sequence

ENCODER_FILE = "encoder.json"


class ClickEncoder:
    """Turns raw rows of a click log into dense columns and integer ids.

    `prepare` fits an encoder on a log and saves it beside the encoded data.
    `load` brings it back to encode rows in memory, with the same SQL and
    therefore the same result. Nothing else makes one.

    Ids count per vocabulary: 0 is a missing value, 1 one that is not in the
    vocabulary, and from 2 on follow the tokens by falling frequency in the
    training split, ties by token. A vocabulary that a field and lists share
    counts the tokens of all of them. With `num_buckets` there is no vocabulary:
    the id is `2 + hash(token) % num_buckets`, the same on every machine, in
    every version and engine (the hash is the first 60 bits of md5), and
    several tokens may share one. Numbers become float32, a missing value
    first becoming 0:

    - `"minmax"`: to `[0, 1]` by the smallest and largest value of the training
      split, clipped outside of it; 0 in a column with one value;
    - `"log"`: `sign(x) * ln(1 + |x|)`;
    - `"none"`: the number itself.

    Args:
        settings: the arguments of `prepare`: `log_format`, `dense_transform`,
            `min_count`, `max_vocabulary` and `num_buckets`.
        dense_ranges: the smallest and largest training value of each dense
            column.
        num_tokens: the number of tokens or buckets of each vocabulary: of the
            fields, then of the lists that share no field's.
        vocabularies: the vocabulary files, none if tokens are hashed.
        kinds: dict from the columns with tokens to what they held in the log
            that vocabularies were learned from: `"text"`, `"integer"` or
            `"boolean"`. A column that holds another kind is looked up by value,
            so that the `7` of a table finds the `007` of a text file. `None`
            in encoders of former versions, which look up the text alone.
        gaps: `Gaps` of the validation split, or `None`.

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
        settings: EncoderSettings,
        dense_ranges: SequenceOf[tuple[float, float]],
        num_tokens: SequenceOf[int],
        vocabularies: Vocabularies,
        kinds: Mapping[str, str] | None = None,
        gaps: Gaps | None = None,
    ):
        self.settings = settings
        self.dense_ranges = [
            (float(low), float(high)) for low, high in dense_ranges
        ]
        self.num_tokens = tuple(int(number) for number in num_tokens)
        self.vocabularies = vocabularies
        self.kinds = None if kinds is None else dict(kinds)
        self.gaps = gaps
        self._memory = MemoryEncoding(settings, self.dense_ranges, vocabularies)

    @property
    def log_format(self) -> LogFormat:
        """The `LogFormat` of the rows."""
        return self.settings.log_format

    @property
    def schema(self) -> FeatureSchema:
        """The columns of the encoded rows.

        A single label is called "label", or as in the log if another column
        has that name.
        """
        log_format = self.log_format
        sizes = {
            name: size + sql.FIRST_ID
            for name, size in zip(
                log_format.vocabularies, self.num_tokens, strict=True
            )
        }
        others = (
            *(*log_format.dense, *log_format.token_columns),
            log_format.weight,
        )
        label = "label"
        if log_format.labels is None and label in others:
            label = log_format.label
        return FeatureSchema(
            dense=log_format.dense,
            categorical={name: sizes[name] for name in log_format.categorical},
            label=label,
            sequences={
                name: Sequence(
                    column.shares,
                    None if column.shares else sizes[name],
                    column.max_length,
                    column.parallel_to,
                )
                for name, column in log_format.sequences.items()
            },
            labels=log_format.labels,
            roles=log_format.roles,
            weight=log_format.weight,
        )

    def extends(self, older: "ClickEncoder") -> bool:
        """Whether rows that an older encoder knows have the same ids here.

        True of an encoder that was grown from it, and of an equal one.

        Args:
            older: `ClickEncoder`.

        Raises:
            FileNotFoundError: if a vocabulary is missing.
            ValueError: if a vocabulary has changed.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/day_2/encoder")
        >>> encoder.extends(zoo.ClickEncoder.load("runs/criteo/encoder"))
        True
        """
        ours, theirs = self.settings, older.settings
        if (
            ours.log_format != theirs.log_format
            or list(ours.log_format.sequences)
            != list(theirs.log_format.sequences)
            or ours.dense_transform != theirs.dense_transform
            or ours.num_buckets != theirs.num_buckets
            or (
                ours.dense_transform == "minmax"
                and self.dense_ranges != older.dense_ranges
            )
        ):
            return False
        for path, old_path in zip(
            self.vocabularies.paths(), older.vocabularies.paths(), strict=True
        ):
            columns = ["token", "id"]
            old = vocabulary_file.read(old_path).select(columns)
            new = vocabulary_file.read(path).select(columns)
            if new.slice(0, old.num_rows) != old:
                return False
        return True

    def encode(self, rows: Any) -> dict[str, np.ndarray]:
        """Encodes raw rows in memory.

        Args:
            rows: list of dicts, pandas DataFrame or pyarrow Table that has the
                dense and categorical columns and those with lists by name;
                others are ignored. `None`, `NaN` and `""` are missing.
                Integers are taken as their text, and so are integral floats,
                into which pandas turns integers beside missing values.

        Returns:
            `{"dense": (n, num_dense) float32, "ids": (n, num_fields) int32}`
            and, under its name, each sequence, `(n, max_length)` int32, padded
            in front with -1; in the order of the rows.

        Raises:
            ValueError: naming column and row, for a missing column or a value
                that is none of these, or text in a dense column.
        """
        kinds = self.kinds or {}
        texts = [name for name, kind in kinds.items() if kind == TEXT]
        raw, received = raw_table(rows, self.log_format, fractions=texts)
        return self._memory.encode(
            raw,
            self.columns_by_value(received),
            lambda row: raise_bad_row(raw, row, self.log_format),
        )

    def encode_source(
        self, source: Source
    ) -> Iterator[tuple[dict[str, np.ndarray], int]]:
        """Encodes a log in batches, in memory that does not grow with it.

        Args:
            source: `Source`, of `zoo.encoding.open_raw_log` and the unlabeled
                format (`LogFormat.unlabeled`).

        Yields:
            What `encode` returns, for the next rows, and how much of
            `source.size` has been read.

        Raises:
            ValueError: naming file and line of a row that breaks a rule.

        Example:

        ```python
        encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        source = zoo.encoding.open_raw_log(
            "raw.tsv", encoder.log_format.unlabeled()
        )
        for inputs, amount in encoder.encode_source(source):
            print(len(inputs["ids"]), "rows,", amount, "of", source.size)
        ```
        """
        for raw, amount in source.tables():
            by_value = self.columns_by_value(source.kinds)
            inputs = self._memory.encode(
                raw, by_value, source.raise_first_bad_row, source.joins_lists
            )
            yield inputs, amount

    def columns_by_value(self, kinds: Mapping[str, str]) -> list[str]:
        """The columns of a log whose tokens are to be looked up by value.

        Args:
            kinds: dict from the log's columns with tokens to their kinds.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        >>> encoder.columns_by_value({"C1": "integer", "C2": "text"})
        ['C1']
        """
        if self.kinds is None:
            return []
        hashed = self.settings.num_buckets is not None
        return [
            name
            for name in self.log_format.token_columns
            if name in kinds
            and kinds[name] != self.kinds.get(name, TEXT)
            # A hash does not tell whether its text was a number.
            and not (hashed and self.kinds.get(name, TEXT) == TEXT)
        ]

    def load_vocabularies(self) -> None:
        """Reads the vocabularies now instead of at the first `encode`.

        Their files are then not needed any more, but for `save`.

        Raises:
            FileNotFoundError: if a vocabulary is missing.
            ValueError: if a vocabulary has changed.

        Example:

        >>> encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        >>> encoder.load_vocabularies()
        """
        self._memory.load()

    def save(self, folder: str | os.PathLike) -> None:
        """Writes `encoder.json` and `vocabulary/<field>.parquet`.

        The name of a file is shortened where the field's is too long for one.

        Args:
            folder: path. Made if it does not exist.

        Raises:
            FileNotFoundError: if one of the encoder's files is missing.
            ValueError: if one of the encoder's files has changed.

        Example:

        ```python
        encoder = zoo.ClickEncoder.load("encoded/criteo/encoder")
        encoder.save("served/encoder")
        ```
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.vocabularies.copy_to(folder)
        config = {
            **asdict(self.settings),
            "log_format": self.log_format.get_config(),
            "dense_ranges": self.dense_ranges,
            "num_tokens": self.num_tokens,
            "vocabulary_sha256": self.vocabularies.checksums,
            "kinds": self.kinds,
            "gaps": None if self.gaps is None else self.gaps.to_json(),
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
        folder = Path(folder).absolute()
        path = folder / ENCODER_FILE
        vocabulary_file.check_present(path)
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            arguments = {
                field.name: config[field.name]
                for field in fields(EncoderSettings)
            }
            arguments["log_format"] = LogFormat(**arguments["log_format"])
            settings = EncoderSettings(**arguments)
            checksums = tuple(str(s) for s in config["vocabulary_sha256"])
            encoder = cls(
                settings,
                config["dense_ranges"],
                config["num_tokens"],
                Vocabularies(folder, settings.vocabulary_names, checksums),
                # Former versions wrote neither of them.
                config.get("kinds"),
                Gaps.from_json(config.get("gaps")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: must be what `ClickEncoder.save` wrote. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
        if encoder.settings.num_buckets is None:
            encoder.vocabularies.check_sizes(encoder.num_tokens)
        return encoder
