"""Reads encoded logs."""

import pyarrow as pa
import pyarrow.parquet


def read_split(folder, split):
    """The rows of a split as one table."""
    tables = []
    for path in sorted((folder / split).glob("part-*.arrow")):
        with pa.ipc.open_stream(path) as reader:
            tables.append(reader.read_all())
    return pa.concat_tables(tables).combine_chunks()


def read_vocabulary(folder, name):
    """The columns `token`, `id` and `count` of a vocabulary, as lists."""
    path = folder / "encoder" / "vocabulary" / f"{name}.parquet"
    return pa.parquet.read_table(path).to_pydict()


def tokens_by_id(folder, name):
    known = read_vocabulary(folder, name)
    return dict(zip(known["id"], known["token"], strict=True))
