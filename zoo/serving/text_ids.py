"""Reads from an encoder which text becomes which id."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.encoding import ClickEncoder
from zoo.encoding import vocabulary_file
from zoo.encoding.sql import MISSING_ID

# The field and the length of a text, the field and the number of its id.
_BYTES_BESIDE = 5 + 6


@dataclass(frozen=True)
class TextIds:
    """The texts that a vocabulary knows, with those of a missing value.

    Attributes:
        texts: list of bytes, in UTF-8.
        ids: int64 array, the id of each.
    """

    texts: list[bytes]
    ids: np.ndarray

    @property
    def num_bytes(self) -> int:
        """The most bytes that they take in a message of Protocol Buffers."""
        return sum(map(len, self.texts)) + _BYTES_BESIDE * len(self.texts)


def read_text_ids(encoder: ClickEncoder) -> dict[str, TextIds]:
    """Returns what each vocabulary of an encoder knows, by its name.

    Args:
        encoder: `ClickEncoder`.

    Raises:
        FileNotFoundError: if a vocabulary is missing.
        ValueError: if a vocabulary has changed.
    """
    vocabularies = encoder.vocabularies
    return {
        name: _text_ids(
            vocabulary_file.read(path),
            # Those of a field and of the lists that share it are the same.
            missing_texts(encoder, name),
        )
        for name, path in zip(
            vocabularies.names, vocabularies.paths(), strict=True
        )
    }


def missing_texts(encoder: ClickEncoder, name: str) -> list[bytes]:
    """Returns the texts of a column that stand for a missing value.

    Args:
        encoder: `ClickEncoder`.
        name: string. Name of the column.
    """
    texts = dict.fromkeys(("", *encoder.log_format.missing_in(name)))
    return [text.encode() for text in texts]


def _text_ids(table: pa.Table, missing: list[bytes]) -> TextIds:
    tokens = pc.cast(table["token"], pa.binary()).to_pylist()
    ids = table["id"].to_numpy().astype("int64")
    return TextIds(
        missing + tokens,
        np.concatenate([np.full(len(missing), MISSING_ID, "int64"), ids]),
    )
