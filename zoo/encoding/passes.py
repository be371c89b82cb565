"""Encodes a log in as many passes as the memory asks for.

A lookup holds the vocabularies of its fields in memory. Those of all fields
may not fit, and DuckDB can put aside the table of one lookup, but not those of
many in a row. So each pass looks up a few fields.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np

from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.engine import read_batches
from zoo.encoding.matrices import ROW_GROUP_ROWS
from zoo.encoding.matrices import matrices

# Of a short token in the hash table of a join, measured with some room.
_BYTES_PER_TOKEN = 100
# The rest is for sorting the rows and for what is read.
_SHARE_OF_MEMORY = 0.4


def field_groups(num_tokens: Sequence[int], memory: int) -> list[range]:
    """Splits the fields into groups whose vocabularies fit into memory.

    Args:
        num_tokens: number of tokens of each field.
        memory: integer. The memory limit in bytes.

    Returns:
        list of ranges of field numbers, in order, none of them empty. A field
        that is too large by itself has a group of its own.
    """
    budget = memory * _SHARE_OF_MEMORY / _BYTES_PER_TOKEN
    groups = []
    start, tokens = 0, 0
    for i, number in enumerate(num_tokens):
        if i > start and tokens + number > budget:
            groups.append(range(start, i))
            start, tokens = i, 0
        tokens += number
    groups.append(range(start, len(num_tokens)))
    return groups


def encoded_batches(
    connection: duckdb.DuckDBPyConnection,
    encoder: ClickEncoder,
    split: str,
    groups: Sequence[range],
    work: Path,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yields the labels and inputs of a split, in the order of the log.

    Args:
        connection: DuckDB connection with the table `log`.
        encoder: `ClickEncoder` fitted on that connection.
        split: string. One of `zoo.encoding.sql.SPLITS`.
        groups: what `field_groups` returned.
        work: path of a folder for the ids of all groups but the first.
    """
    paths = [work / f"ids_{group.start}" for group in groups[1:]]
    for group, path in zip(groups[1:], paths, strict=True):
        with path.open("wb") as written:
            for _, inputs in _pass(connection, encoder, split, group, False):
                inputs["ids"].tofile(written)
    files = [path.open("rb") for path in paths]
    try:
        for label, inputs in _pass(connection, encoder, split, groups[0], True):
            parts = [inputs["ids"]]
            for group, file in zip(groups[1:], files, strict=True):
                count = len(label) * len(group)
                part = np.fromfile(file, "int32", count)
                parts.append(part.reshape(len(label), len(group)))
            yield label, {**inputs, "ids": np.concatenate(parts, axis=1)}
    finally:
        for file in files:
            file.close()


def _pass(
    connection: duckdb.DuckDBPyConnection,
    encoder: ClickEncoder,
    split: str,
    fields: range,
    dense: bool,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    num_dense = len(encoder.log_format.dense) if dense else 0
    query = encoder.query(split, dense, fields)
    with (
        connection.cursor() as cursor,
        read_batches(cursor, query, ROW_GROUP_ROWS) as reader,
    ):
        for batch in reader:
            label = batch.column("label").to_numpy().astype("int8")
            yield label, matrices(batch, num_dense, fields)
