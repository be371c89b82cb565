from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.data.arrow_part import ArrowPart
from zoo.data.arrow_part import Block
from zoo.data.row_check import check_rows
from zoo.data.row_check import check_shapes
from zoo.data.rows import Rows
from zoo.data.rows import cut
from zoo.data.rows import dtype_of
from zoo.data.rows import shape_of_labels
from zoo.feature_schema import FeatureSchema

# Pages of a memory-mapped file count as memory of this process, and the system
# does not take them back as long as the machine has free memory. A pass through
# 3 GB of rows would look like 3 GB of memory, and be killed in a container that
# allows less. So they are released after this many bytes.
RELEASE_BYTES = 128 * 2**20


class Split:
    """One split of an encoded log: inputs and labels of equal length.

    Made from arrays, or by `Split.open` from files of any size, which are
    memory-mapped: rows are loaded when they are read. Rows from files are
    checked whenever they are read, so that an id outside its vocabulary cannot
    become NaN later; this takes less than 5 ns a row.

    Rows are read as `(inputs, labels)`, and in a split with sample weights as
    `(inputs, labels, weights)`.

    Args:
        inputs: `{"dense": (rows, num_dense) float32,
            "ids": (rows, num_fields) int32}`, and each sequence under its name,
            `(rows, max_length)` int32, padded in front with -1.
        labels: `(rows,)` int8, 0 or 1. With several labels `(rows, labels)`
            int8, -1 where a row lacks one.
        weights: `(rows,)` float32, how much each row counts. Defaults to
            `None`, all alike.
        label_names: names of the columns of `labels`, as in the schema; needed
            if there are several. Defaults to `None`, one label.

    Raises:
        ValueError: if an input is missing, or lengths or shapes differ.

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
        self,
        inputs: dict[str, np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray | None = None,
        label_names: Sequence[str] | None = None,
    ) -> None:
        self.label_names = tuple(label_names or ["label"])
        self._has_weights = weights is not None
        check_shapes(self.label_names, inputs, labels, weights)
        self.widths = {name: array.shape[1] for name, array in inputs.items()}
        others = [] if weights is None else [weights]
        self._set_blocks([Block((inputs, labels, *others))])

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
        """`(rows,)` int8, or `(rows, labels)` if there are several.

        A copy if the split has several blocks.
        """
        return self._column(1)

    @property
    def weights(self) -> np.ndarray | None:
        """`(rows,)` float32, or `None` if all rows count alike.

        A copy if the split has several blocks.
        """
        return self._column(2) if self._has_weights else None

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Whole arrays; a copy in memory if the split has several blocks."""
        return self.read(0, len(self))[0]

    def blocks(self) -> Iterator[Rows]:
        """Yields all rows in order as `read` does, in bounded memory."""
        for start, stop in zip(
            self._starts[:-1], self._starts[1:], strict=True
        ):
            yield self.read(int(start), int(stop))

    def read(self, start: int, stop: int) -> Rows:
        """Returns the rows from `start` to `stop`.

        Args:
            start: integer, the first row.
            stop: integer, behind the last row.

        Returns:
            `(inputs, labels)`, or `(inputs, labels, weights)` of a split with
            weights. Views, without a copy, of rows that lie within one block;
            else copies, as sequences in files always are.

        Raises:
            ValueError: if the rows do not exist, or a value read from a file
                does not fit the schema; then the file is named.
        """
        if not 0 <= start <= stop <= len(self):
            raise ValueError(
                f"`start` and `stop` must be within [0, {len(self)}], and in "
                f"this order. Received: start={start}, stop={stop}"
            )
        first, last = map(self._number_of_block, (start, stop - 1))
        if start < stop and first == last:
            return self._read_block(*next(self._pieces(start, stop)))
        out = self.empty(stop - start)
        end = 0
        # Block by block, for checking takes memory by the row.
        for _, first, last in self._pieces(start, stop):
            begin, end = end, end + last - first
            rows = (start + begin, start + end)
            self.gather([rows], cut(out, begin, end))
        return out

    def empty(self, rows: int) -> Rows:
        """Returns arrays for rows of this split, to be filled.

        Args:
            rows: integer, the number of rows.
        """
        inputs = {
            name: np.empty((rows, width), dtype_of(name))
            for name, width in self.widths.items()
        }
        shape = shape_of_labels(self.label_names, rows)
        labels: np.ndarray = np.empty(shape, "int8")
        if not self._has_weights:
            return inputs, labels
        return inputs, labels, np.empty(rows, "float32")

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
                begin, end = end, end + last - first
                block.copy(first, last, cut(out, begin, end))
        return cut(out, 0, end)

    def __reduce__(self):
        arrays = (self.inputs, self.labels, self.weights)
        return Split, (*arrays, self.label_names)

    def _set_blocks(self, blocks):
        self._blocks = blocks
        self._starts = np.cumsum([0, *map(len, blocks)])

    def _column(self, place):
        return self._blocks[0].columns[place]

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
        self.label_names = schema.labels
        self.widths = {n: width for n, (width, _) in schema.inputs().items()}
        self._has_weights = schema.weight is not None
        self._unreleased = 0

    def gather(self, ranges: Iterable[tuple[int, int]], out: Rows) -> Rows:
        ranges = list(ranges)
        rows = super().gather(ranges, out)
        try:
            check_rows(self._schema, *rows)
        except ValueError:
            # One check of all rows is faster than one a range. The reads
            # below find the file of a bad row.
            for start, stop in ranges:
                for piece in self._pieces(start, stop):
                    self._read_block(*piece)
            raise
        return rows

    def __reduce__(self):
        # A worker process memory-maps the files itself.
        return Split.open, (self._folder, self._schema)

    def _column(self, place):
        if len(self._blocks) == 1:
            return super()._column(place)
        like = self.empty(0)[place]
        column = np.empty((len(self), *like.shape[1:]), like.dtype)
        for block, start in zip(self._blocks, self._starts[:-1], strict=True):
            column[start : start + len(block)] = block.columns[place]
            self._count_read(block, len(block))
        return column

    def _read_block(self, block, first, last):
        rows = super()._read_block(block, first, last)
        self._count_read(block, last - first)
        try:
            check_rows(self._schema, *rows)
        except ValueError as error:
            raise ValueError(
                f"{block.part.rows(block.first_row + first, last - first)}: "
                f"{error}"
            ) from error
        return rows

    def _count_read(self, block, rows):
        self._unreleased += rows * block.nbytes // len(block)
        if self._unreleased >= RELEASE_BYTES:
            self._unreleased = 0
            for part in self._parts:
                part.release()
