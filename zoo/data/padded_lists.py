"""Reads a column of lists of an encoded file as rows of equal length."""

from typing import Any

import numpy as np

from zoo.feature_schema import PADDING
from zoo.feature_schema import FeatureSchema


class PaddedLists:
    """The lists of one sequence in a record batch, padded when they are read.

    Reading checks what it reads, before the padding hides a -1 of the file.

    Args:
        name: string, that of the sequence.
        schema: `FeatureSchema` that has it.
        offsets: `(rows + 1,)` int32, where each list begins in `values`, and
            the last one ends; a view of the file.
        values: `(ids,)` int32, the lists one behind the other; a view of the
            file.
        part: the `ArrowPart` of the file.
        first_row: integer, the number of the first row in the file.
    """

    def __init__(
        self,
        name: str,
        schema: FeatureSchema,
        offsets: np.ndarray,
        values: np.ndarray,
        part: Any,
        first_row: int,
    ) -> None:
        self.name = name
        self.size = schema.vocabularies[schema.vocabulary_of(name)]
        self.max_length = schema.sequences[name].max_length
        self.offsets = offsets
        self.values = values
        self.part = part
        self.first_row = first_row

    @property
    def nbytes(self) -> int:
        """Bytes of the column in the file."""
        return self.offsets.nbytes + self.values.nbytes

    def read(self, start: int, stop: int) -> np.ndarray:
        """Returns `(stop - start, max_length)` int32, padded in front.

        Raises:
            ValueError: naming the file and the rows, for longer lists and for
                ids outside the vocabulary.
        """
        out: np.ndarray = np.empty((stop - start, self.max_length), "int32")
        self._fill(start, stop, out, lambda view: view)
        return out

    def copy(self, start: int, stop: int, out: np.ndarray) -> None:
        """Writes what `read` returns to an array; see `ArrowPart.load`."""
        self._fill(start, stop, out, self.part.load)

    def _fill(self, start, stop, out, load):
        offsets = load(self.offsets[start : stop + 1])
        lengths = self._lengths(start, offsets)
        values = load(self.values[offsets[0] : offsets[-1]])
        self._check_ids(start, offsets, values)
        places = np.arange(self.max_length, dtype="int32")
        is_event = places >= (self.max_length - lengths)[:, None]
        out.fill(PADDING)
        out[is_event] = values

    def _lengths(self, start, offsets):
        lengths = np.diff(offsets)
        # As unsigned integers, negative lengths are larger than any.
        bad = lengths.view("uint32") > self.max_length
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"{self._rows(start, lengths)}: `{self.name}` must have from 0 "
                f"to {self.max_length} ids. "
                f"Received: {lengths[row]} in row {row}"
            )
        if not 0 <= offsets[0] <= offsets[-1] <= len(self.values):
            raise ValueError(
                f"{self._rows(start, lengths)}: `{self.name}` must lie within "
                f"the {len(self.values)} ids that were written. "
                f"Received: those from {offsets[0]} to {offsets[-1]}"
            )
        return lengths

    def _check_ids(self, start, offsets, values):
        if values.view("uint32").max(initial=0) < self.size:
            return
        place = int(np.argmax(values.view("uint32") >= self.size))
        row = np.searchsorted(offsets - offsets[0], place, side="right") - 1
        raise ValueError(
            f"{self._rows(start, offsets[1:])}: `{self.name}` must be in "
            f"[0, {self.size}), its vocabulary. "
            f"Received: id {values[place]} in row {row}"
        )

    def _rows(self, start, rows):
        return self.part.rows(self.first_row + start, len(rows))
