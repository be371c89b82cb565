"""A log with all that a row can hold: lists, labels, weights."""

from itertools import accumulate
from itertools import pairwise

import numpy as np
import pyarrow as pa

import zoo
from zoo.encoding.row_files import RowLayout

SCHEMA = zoo.FeatureSchema(
    dense=["row"],
    categorical={"item": 5000, "tab": 4},
    sequences={
        "history": zoo.Sequence("item", max_length=7),
        "tags": zoo.Sequence(vocabulary_size=30, max_length=3),
    },
    labels=["click", "purchase"],
    weight="weight",
)


def schema_with(sequences=True, labels=2, weight=True):
    """`SCHEMA`, or parts of it."""
    return zoo.FeatureSchema(
        SCHEMA.dense,
        SCHEMA.categorical,
        labels=SCHEMA.labels[:labels],
        sequences=SCHEMA.sequences if sequences else None,
        weight=SCHEMA.weight if weight else None,
    )


def columns_of(rows, schema=SCHEMA, seed=0):
    """Random columns of a file, as lists or arrays, by name.

    The first id of a row is its number, as is its number `row`.
    """
    random = np.random.default_rng(seed)
    number = np.arange(rows)
    columns = {}
    if len(schema.labels) > 1:
        labels = random.integers(-1, 2, (rows, len(schema.labels)))
        labels[(labels < 0).all(axis=1), 0] = 1
        columns["labels"] = labels.astype("int8")
    else:
        columns["label"] = random.integers(0, 2, rows).astype("int8")
    if schema.weight:
        columns["weight"] = random.integers(0, 9, rows).astype("float32") / 4
    columns["dense"] = number[:, None].astype("float32")
    tab = random.integers(0, 4, rows)
    columns["ids"] = np.stack([number, tab], axis=1).astype("int32")
    for i, (name, sequence) in enumerate(schema.sequences.items()):
        size = schema.vocabularies[schema.vocabulary_of(name)]
        # Empty and full rows come often.
        lengths = random.integers(-2, sequence.max_length + 3, rows)
        columns[f"sequence_{i}"] = [
            random.integers(0, size, length).tolist()
            for length in lengths.clip(0, sequence.max_length)
        ]
    return columns


def padded(lists, max_length):
    """What lists become in a batch, the slow way."""
    rows = [[-1] * (max_length - len(ids)) + list(ids) for ids in lists]
    return np.array(rows, "int32").reshape(len(rows), max_length)


def rows_of(columns, schema=SCHEMA):
    """The rows in memory that a file with these columns has."""
    inputs = {"dense": columns["dense"], "ids": columns["ids"]}
    for i, (name, sequence) in enumerate(schema.sequences.items()):
        inputs[name] = padded(columns[f"sequence_{i}"], sequence.max_length)
    labels = columns["label" if len(schema.labels) == 1 else "labels"]
    weights = [columns["weight"]] if schema.weight else []
    return inputs, labels, *weights


def write_part(path, columns, schema=SCHEMA, rows_per_block=100, **options):
    """Writes columns to a file, in record batches of so many rows."""
    layout = RowLayout.of(schema).columns()
    arrays = []
    for field in layout:
        values = columns[field.name]
        if pa.types.is_fixed_size_list(field.type):
            values = pa.array(np.ravel(values), field.type.value_type)
            array = pa.FixedSizeListArray.from_arrays(values, type=field.type)
        else:
            array = pa.array(values, field.type)
        arrays.append(array)
    table = pa.table(arrays, schema=layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.ipc.new_stream(path, layout, **options) as writer:
        writer.write_table(table, max_chunksize=rows_per_block)


def write_split(folder, columns, schema=SCHEMA, parts=(230, 170)):
    """Writes columns to files of so many rows each, and opens them."""
    borders = accumulate(parts, initial=0)
    for number, (start, stop) in enumerate(pairwise(borders)):
        part = {name: column[start:stop] for name, column in columns.items()}
        write_part(folder / f"part-{number:05}.arrow", part, schema)
    return zoo.Split.open(folder, schema)


def assert_same(rows, expected):
    """Checks that rows are alike: values, types and shapes."""
    assert len(rows) == len(expected)
    assert rows[0].keys() == expected[0].keys()
    pairs = [(rows[0][name], expected[0][name]) for name in rows[0]]
    for array, other in (*pairs, *zip(rows[1:], expected[1:], strict=True)):
        assert array.dtype == other.dtype and array.shape == other.shape
        np.testing.assert_array_equal(array, other)
