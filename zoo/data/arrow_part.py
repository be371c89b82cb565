"""Reads one file of an encoded split, memory-mapped."""

import mmap
import os
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoo.data.padded_lists import PaddedLists
from zoo.data.rows import Rows
from zoo.data.rows import map_arrays
from zoo.encoding.row_files import RowLayout
from zoo.feature_schema import FeatureSchema


@dataclass(frozen=True)
class Block:
    """Rows that lie together: arrays of equal length, and where they are from.

    Attributes:
        columns: `Rows`. In those of a file, a sequence is `PaddedLists`.
        part: the `ArrowPart` that the arrays are views of, or `None`.
        first_row: integer, the number of the block's first row in its part.
    """

    columns: Rows
    part: "ArrowPart | None" = None
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.columns[1])

    @cached_property
    def nbytes(self) -> int:
        """Bytes of all rows; of a file, the bytes that they take in it."""
        inputs, *others = self.columns
        return sum(column.nbytes for column in (*inputs.values(), *others))

    def read(self, start: int, stop: int) -> Rows:
        """Returns some rows: views, and sequences of a file padded."""

        def read(column):
            if isinstance(column, PaddedLists):
                return column.read(start, stop)
            return column[start:stop]

        return map_arrays(read, self.columns)

    def copy(self, start: int, stop: int, out: Rows) -> None:
        """Copies some rows into arrays of their size."""

        def copy(column, array):
            if isinstance(column, PaddedLists):
                column.copy(start, stop, array)
            elif self.part is None:
                array[...] = column[start:stop]
            else:
                self.part.copy(column[start:stop], array)

        map_arrays(copy, self.columns, out)


class ArrowPart:
    """An Arrow IPC stream file as NumPy arrays that share the file's pages.

    Nothing but the description of the record batches is read; the operating
    system loads the rows when they are touched.

    Args:
        path: path of the file, written uncompressed by
            `pyarrow.ipc.new_stream`.
        schema: `FeatureSchema` whose columns, see `RowLayout`, it must have.

    Attributes:
        blocks: list of `Block`, one a record batch.

    Raises:
        ValueError: naming the file, if it is damaged or has other columns.
    """

    def __init__(self, path: str | Path, schema: FeatureSchema) -> None:
        self.path = Path(path)
        self.blocks: list[Block] = []
        if not self.path.stat().st_size:
            raise ValueError(
                "A part of the encoded log is empty; run `python -m zoo "
                f"prepare` again. Received: {path}"
            )
        # Copy on write, never written to the file: PyTorch warns about arrays
        # that cannot be written, and other frameworks copy them.
        self._file = os.open(self.path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._map = mmap.mmap(self._file, 0, access=mmap.ACCESS_COPY)
        self._address = np.frombuffer(self._map, "uint8").ctypes.data
        try:
            self._read_blocks(schema)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                "A part of the encoded log is damaged or not an Arrow stream; "
                f"run `python -m zoo prepare` again. Received: {path} ({error})"
            ) from error

    def release(self) -> None:
        """Gives the pages that were read back to the operating system.

        Arrays stay valid: what is touched again comes from the page cache.
        """
        if hasattr(self._map, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def copy(self, rows: np.ndarray, out: np.ndarray) -> None:
        """Copies rows, a view of this file, into an array of their size.

        This reads the file and not the memory map. For short runs of rows
        from all over a large file it is two to three times as fast, and it
        leaves no pages to release.
        """
        if not hasattr(os, "preadv"):
            out[...] = rows
            return
        if not rows.nbytes:
            return
        count = os.preadv(
            self._file, [out.data], rows.ctypes.data - self._address
        )
        if count != rows.nbytes:
            raise ValueError(
                "A part of the encoded log became shorter while it was read. "
                f"Received: {self.path}"
            )

    def load(self, rows: np.ndarray) -> np.ndarray:
        """Returns a copy of rows, a view of this file, see `copy`."""
        loaded = np.empty_like(rows)
        self.copy(rows, loaded)
        return loaded

    def rows(self, first: int, count: int) -> str:
        """Says where rows are, for errors."""
        return f"{self.path}, in the {count} rows from {first} on"

    def _read_blocks(self, schema):
        buffer = pa.py_buffer(self._map)
        first_row = 0
        with pa.ipc.open_stream(pa.BufferReader(buffer)) as reader:
            _check_columns(self.path, reader.schema, schema)
            for batch in reader:
                if batch.num_rows:
                    batch.validate()
                    self.blocks.append(self._block(batch, schema, first_row))
                first_row += batch.num_rows

    def _block(self, batch, schema, first_row):
        rows = batch.num_rows

        def view(column, width=None):
            values = batch[column] if width is None else batch[column].values
            self._check_no_nulls(column, first_row, batch[column], values)
            shape = (rows,) if width is None else (rows, width)
            return self._view(column, values, shape)

        def lists(column):
            values = batch[column].values
            self._check_no_nulls(column, first_row, batch[column], values)
            offsets = self._view(column, batch[column].offsets, (rows + 1,))
            # Of no values there may be no buffer in the file.
            if not len(values):
                return offsets, np.empty(0, "int32")
            return offsets, self._view(column, values, (len(values),))

        inputs = {"dense": np.empty((rows, 0), "float32")}
        if schema.num_dense:
            inputs["dense"] = view("dense", schema.num_dense)
        inputs["ids"] = view("ids", schema.num_fields)
        for i, name in enumerate(schema.sequences):
            offsets, values = lists(f"sequence_{i}")
            inputs[name] = PaddedLists(
                name, schema, offsets, values, self, first_row
            )
        several = len(schema.labels) > 1
        labels = (
            view("labels", len(schema.labels)) if several else view("label")
        )
        weights = [] if schema.weight is None else [view("weight")]
        return Block((inputs, labels, *weights), self, first_row)

    def _view(self, column, values, shape):
        start = values.buffers()[1].address - self._address
        if not 0 <= start <= len(self._map):
            raise ValueError(
                f"{self.path}: the columns must not be compressed, or they "
                f"cannot be mapped into memory. Received: `{column}` in "
                "compressed form"
            )
        dtype = np.dtype(values.type.to_pandas_dtype())
        offset = start + values.offset * dtype.itemsize
        return np.ndarray(shape, dtype, self._map, offset)

    def _check_no_nulls(self, column, first_row, *arrays):
        if any(array.null_count for array in arrays):
            raise ValueError(
                f"{self.path}: `{column}` must not have missing values. "
                f"Received: nulls in the rows from {first_row} on"
            )


def _check_columns(path, received, schema):
    written = RowLayout.of(schema).columns()
    expected = {field.name: _describe(field.type) for field in written}
    columns = {field.name: _describe(field.type) for field in received}
    if columns != expected or len(columns) != len(received):
        raise ValueError(
            f"{path}: the columns must be {_listing(expected.items())}, as the "
            "folder's encoder has them. Received: "
            + _listing(
                (field.name, _describe(field.type)) for field in received
            )
        )


def _describe(arrow_type):
    # Arrow's own text for a list also has the name of its items, which writers
    # choose freely.
    if pa.types.is_fixed_size_list(arrow_type):
        return f"{arrow_type.list_size} x {arrow_type.value_type}"
    if pa.types.is_list(arrow_type):
        return f"list<{arrow_type.value_type}>"
    return str(arrow_type)


def _listing(columns):
    return ", ".join(f"`{name}`: {text}" for name, text in columns)
