"""Counts the missing and unknown ids of a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoo.encoding.sql import MISSING_ID
from zoo.encoding.sql import UNKNOWN_ID


@dataclass(frozen=True)
class Gaps:
    """Counts how often each field is missing or unknown in some rows.

    Attributes:
        rows: integer, the number of rows.
        missing: tuple of integers, the rows without a value, by field.
        unknown: tuple of integers, the rows whose token is not in the
            vocabulary, by field.
    """

    rows: int
    missing: tuple[int, ...]
    unknown: tuple[int, ...]

    @classmethod
    def of(cls, ids: np.ndarray) -> "Gaps":
        """Counts them in `(rows, fields)` ids."""
        return cls(
            len(ids),
            *(
                tuple(np.count_nonzero(ids == id, axis=0).tolist())
                for id in (MISSING_ID, UNKNOWN_ID)
            ),
        )

    @classmethod
    def from_json(cls, content: dict[str, Any] | None) -> "Gaps | None":
        """Returns what `dataclasses.asdict` made `content` of."""
        if content is None:
            return None
        return cls(
            content["rows"],
            tuple(content["missing"]),
            tuple(content["unknown"]),
        )

    @classmethod
    def none(cls, num_fields: int) -> "Gaps":
        """Returns those of no rows."""
        return cls(0, (0,) * num_fields, (0,) * num_fields)

    @classmethod
    def of_split(cls, folder: Path, num_fields: int) -> "Gaps":
        """Counts them in the files that `prepare` wrote for a split."""
        gaps = cls.none(num_fields)
        for path in folder.glob("part-*.arrow"):
            with pa.memory_map(str(path)) as file:
                for batch in pa.ipc.open_stream(file):
                    ids = batch.column("ids").flatten().to_numpy()
                    gaps += cls.of(ids.reshape(-1, num_fields))
        return gaps

    def __add__(self, other: "Gaps") -> "Gaps":
        return Gaps(
            self.rows + other.rows,
            _sums(self.missing, other.missing),
            _sums(self.unknown, other.unknown),
        )


def _sums(ours: Sequence[int], theirs: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(ours, theirs, strict=True))
