"""Reads the tables of a log in batches: Parquet files and data sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import split_of_name
from zoo.raw.splits import SPLITS

_BATCH_ROWS = 1 << 17
# For lists, which may be of any length.
_BATCH_TOKENS = 1 << 23
_BATCH_BYTES = 1 << 28


class ParquetTable:
    """A Parquet file in batches."""

    def __init__(self, raw_file: RawFile):
        self.file = raw_file
        self.origin = raw_file.origin
        try:
            with pa.parquet.ParquetFile(raw_file.path) as file:
                schema = file.schema_arrow
                self.num_rows = file.metadata.num_rows
                self._batch_rows = _batch_rows(file.metadata)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(
                f"{raw_file}: the Parquet file is truncated or damaged; get it "
                f"again. Received: {error}"
            ) from error
        self.columns = schema.names
        self.types = dict(zip(schema.names, schema.types, strict=True))

    def __str__(self) -> str:
        return str(self.file)

    def batches(self, names: list[str]) -> Iterator[pa.Table]:
        with pa.parquet.ParquetFile(self.file.path) as file:
            try:
                for batch in file.iter_batches(self._batch_rows, columns=names):
                    yield pa.table(batch)
            except (pa.ArrowInvalid, OSError) as error:
                raise ValueError(
                    f"{self.file}: the Parquet file is damaged; get it "
                    f"again. Received: {error}"
                ) from error


class DataSet:
    """A split of `datasets`, or a table in memory, in batches."""

    def __init__(self, data: Any, origin: str, name: str):
        self.origin = origin
        self._name = name
        self._data = data
        self.types: dict[str, pa.DataType] = {}
        if is_arrow(data):
            data = self._data = arrow_table(data)
            self.columns = data.column_names
            self.num_rows = data.num_rows
        else:
            # Streams may know neither columns nor length.
            self.columns = list(data.column_names or next(iter(data)))
            self.num_rows = len(data) if hasattr(data, "__len__") else 0

    def __str__(self) -> str:
        return self._name

    def batches(self, names: list[str]) -> Iterator[pa.Table]:
        if isinstance(self._data, pa.Table):
            data = self._data.select(names)
            row_bytes = max(1, data.nbytes // max(self.num_rows, 1))
            rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // row_bytes))
            for start in range(0, self.num_rows, rows):
                yield data.slice(start, rows)
            return
        selected = self._data.select_columns(names).with_format("arrow")
        yield from selected.iter(_BATCH_ROWS)


def _batch_rows(metadata: pa.parquet.FileMetaData) -> int:
    """Rows whose lists fit into memory, by the longest column there is."""
    longest = 1.0
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        for j in range(group.num_columns):
            values = group.column(j).num_values
            longest = max(longest, values / max(group.num_rows, 1))
    return max(1, min(_BATCH_ROWS, int(_BATCH_TOKENS / longest)))


def number_rows(table: pa.Table, first_row: int, origin: str) -> pa.Table:
    """Puts the columns `row_id` and `origin` in front of some rows.

    Args:
        table: the rows.
        first_row: integer. The number of the first of them in the log.
        origin: string, that of all of them.
    """
    ids = np.arange(first_row, first_row + table.num_rows, dtype="int64")
    origins = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(ids), "int8")), [origin]
    )
    table = table.add_column(0, "origin", origins)
    return table.add_column(0, "row_id", pa.array(ids))


def is_parquet(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def is_table(source: Any) -> bool:
    """Whether a source is a table by itself, or a dict of such."""
    if isinstance(source, dict):
        return bool(source) and all(map(is_table, source.values()))
    return is_arrow(source) or (
        hasattr(source, "select_columns") and hasattr(source, "with_format")
    )


def arrow_table(source: Any) -> pa.Table:
    """A table in memory, such as a DataFrame, as a `pyarrow.Table`.

    Raises:
        ValueError: if a column has values of several kinds.
    """
    try:
        return pa.table(source)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            "`source` must have values of one kind in each column. "
            f"Received: {error}"
        ) from error


def is_arrow(source: Any) -> bool:
    # The DataFrames of pandas, Polars and others have it as well.
    return hasattr(source, "__arrow_c_stream__")


def named_tables(source: Any) -> list[DataSet]:
    """The tables of a source in memory, in the order of the splits."""
    if not isinstance(source, dict):
        return [DataSet(source, "00000", f"the {type(source).__name__}")]
    tables = []
    for name, data in source.items():
        split = split_of_name(name)
        if split is None:
            raise ValueError(
                "`source` must be a data set with splits called "
                f"{SPLITS}. Received: {name!r}"
            )
        tables.append(DataSet(data, split, f"the split '{name}'"))
    return sorted(tables, key=lambda table: SPLITS.index(table.origin))
