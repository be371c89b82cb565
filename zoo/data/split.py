from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.data.arrow_part import ArrowPart
from zoo.data.arrow_part import Block
from zoo.data.row_check import check_rows
from zoo.feature_schema import FeatureSchema

DTYPES = {"dense": "float32", "ids": "int32"}
# Pages of a memory-mapped file count as memory of this process, and the system
# does not take them back as long as the machine has free memory. A pass through
# 3 GB of rows would look like 3 GB of memory, and be killed in a container that
# allows less. So they are released after this many bytes.
RELEASE_BYTES = 128 * 2**20

Rows = tuple[dict[str, np.ndarray], np.ndarray]


class Split:
    """One split of an encoded log: inputs and labels of equal length.

    Made from arrays, or by `Split.open` from files of any size, which are
    memory-mapped: rows are loaded when they are read. Rows from files are
    checked whenever they are read, so that an id outside its vocabulary cannot
    become NaN later; this takes less than 5 ns a row.

    Args:
        inputs: `{"dense": (rows, num_dense) float32,
            "ids": (rows, num_fields) int32}`.
        labels: `(rows,)` int8, 0 or 1.

    Raises:
        ValueError: if an input is missing or lengths differ.

    Example:

    ```python
    schema = zoo.EncodedLog.load("encoded/criteo").schema
    split = zoo.Split.open("encoded/criteo/train", schema)
    inputs, labels = split.read(0, 100)
    clicks = sum(labels.sum() for _, labels in split.blocks())
    rows = split.gather([(0, 10), (50, 60)], out=split.empty(20))
    ```
    """

    def __init__(
        self, inputs: dict[str, np.ndarray], labels: np.ndarray
    ) -> None:
        lengths = {name: len(array) for name, array in inputs.items()}
        if lengths != dict.fromkeys(DTYPES, len(labels)):
            raise ValueError(
                "`inputs` must have the keys 'dense' and 'ids', each with as "
                f"many rows as `labels`. Received: inputs of {lengths} rows, "
                f"labels of {len(labels)}"
            )
        self._set_blocks([Block(inputs, labels)])

    @classmethod
    def open(cls, folder: str | Path, schema: FeatureSchema) -> "Split":
        """Memory-maps a folder of Arrow stream files.

        Args:
            folder: path with `part-*.arrow`, whose rows follow each other by
                name.
            schema: `FeatureSchema` of the rows.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: naming the file, if it is damaged or has other columns.
        """
        return _FileSplit(folder, schema)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def labels(self) -> np.ndarray:
        """`(rows,)` int8; a copy if the split has several blocks."""
        return self._blocks[0].labels

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Whole arrays; a copy in memory if the split has several blocks."""
        return self.read(0, len(self))[0]

    def blocks(self) -> Iterator[Rows]:
        """Yields `(inputs, labels)` of all rows in order, in bounded memory."""
        for start, stop in zip(
            self._starts[:-1], self._starts[1:], strict=True
        ):
            yield self.read(int(start), int(stop))

    def read(self, start: int, stop: int) -> Rows:
        """Returns `(inputs, labels)` of the rows from `start` to `stop`.

        Args:
            start: integer, the first row.
            stop: integer, behind the last row.

        Returns:
            Views, without a copy, of rows that lie within one block; else
            copies.

        Raises:
            ValueError: if the rows do not exist, or a value read from a file
                does not fit the schema; then the file is named.
        """
        if not 0 <= start <= stop <= len(self):
            raise ValueError(
                f"The rows must be within [0, {len(self)}]. "
                f"Received: start={start}, stop={stop}"
            )
        first, last = map(self._number_of_block, (start, stop - 1))
        pieces = self._pieces(start, stop)
        if start < stop and first == last:
            return self._read_block(*next(pieces))
        out_inputs, out_labels = self.empty(stop - start)
        end = 0
        for piece in pieces:
            inputs, labels = self._read_block(*piece)
            start, end = end, end + len(labels)
            out_labels[start:end] = labels
            for name, rows in inputs.items():
                out_inputs[name][start:end] = rows
        return out_inputs, out_labels

    def empty(self, rows: int) -> Rows:
        """Returns arrays for rows of this split, to be filled.

        Args:
            rows: integer, the number of rows.
        """
        inputs = {
            name: np.empty((rows, self.widths[name]), dtype)
            for name, dtype in DTYPES.items()
        }
        return inputs, np.empty(rows, "int8")

    def gather(self, ranges: Iterable[tuple[int, int]], out: Rows) -> Rows:
        """Copies several ranges of rows, one after the other.

        Args:
            ranges: pairs of the first row and that behind the last one.
            out: arrays as from `empty`, with room for all rows.

        Returns:
            Views of the rows of `out` that were filled.

        Raises:
            ValueError: as `read` does.
        """
        end = 0
        for start, stop in ranges:
            for block, first, last in self._pieces(start, stop):
                target = slice(end, end + last - first)
                inputs, labels = _rows(out, target)
                block.copy(first, last, inputs, labels)
                end = target.stop
        return _rows(out, slice(end))

    def __reduce__(self):
        return Split, (self._blocks[0].inputs, self._blocks[0].labels)

    def _set_blocks(self, blocks):
        self._blocks = blocks
        self._starts = np.cumsum([0, *map(len, blocks)])
        self.widths = {
            name: blocks[0].inputs[name].shape[1] if blocks else 0
            for name in DTYPES
        }

    def _number_of_block(self, row):
        return int(np.searchsorted(self._starts, row, side="right")) - 1

    def _pieces(self, start, stop):
        number = self._number_of_block(start)
        while start < stop:
            block = self._blocks[number]
            first = start - int(self._starts[number])
            last = min(first + stop - start, len(block))
            yield block, first, last
            start, number = start + last - first, number + 1

    def _read_block(self, block, first, last):
        return block.read(first, last)


class _FileSplit(Split):
    """A split in memory-mapped files, checked whenever it is read."""

    def __init__(self, folder: str | Path, schema: FeatureSchema) -> None:
        paths = sorted(Path(folder).glob("part-*.arrow"))
        if not paths:
            raise FileNotFoundError(
                "A split of the encoded log is missing: its folder must have "
                "files `part-*.arrow`; run `python -m zoo prepare` again. "
                f"Received: {folder}"
            )
        self._folder, self._schema = folder, schema
        self._parts = [ArrowPart(path, schema) for path in paths]
        self._set_blocks([b for part in self._parts for b in part.blocks])
        self._row_bytes = 1 + 4 * sum(self.widths.values())
        self._unreleased = 0

    @property
    def labels(self) -> np.ndarray:
        if len(self._blocks) == 1:
            return self._blocks[0].labels
        labels: np.ndarray = np.empty(len(self), "int8")
        for block, start in zip(self._blocks, self._starts[:-1], strict=True):
            labels[start : start + len(block)] = block.labels
            self._count_read(len(block))
        return labels

    def gather(self, ranges: Iterable[tuple[int, int]], out: Rows) -> Rows:
        ranges = list(ranges)
        rows = super().gather(ranges, out)
        try:
            check_rows(self._schema, *rows)
        except ValueError:
            # One check of all rows is faster than one a range. The reads
            # below find the file of a bad row.
            for start, stop in ranges:
                self.read(start, stop)
            raise
        return rows

    def __reduce__(self):
        # A worker process memory-maps the files itself.
        return Split.open, (self._folder, self._schema)

    def _read_block(self, block, first, last):
        rows = super()._read_block(block, first, last)
        self._count_read(last - first)
        try:
            check_rows(self._schema, *rows)
        except ValueError as error:
            raise ValueError(
                f"{block.part.path}, in the {last - first} rows from "
                f"{block.first_row + first} on: {error}"
            ) from error
        return rows

    def _count_read(self, rows):
        self._unreleased += rows * self._row_bytes
        if self._unreleased >= RELEASE_BYTES:
            self._unreleased = 0
            for part in self._parts:
                part.release()


def _rows(out, rows):
    inputs, labels = out
    return {name: array[rows] for name, array in inputs.items()}, labels[rows]
