"""Counts the missing and unknown ids of a split."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoo.encoding.sql import MISSING_ID
from zoo.encoding.sql import UNKNOWN_ID
from zoo.feature_schema import PADDING


@dataclass(frozen=True)
class Gaps:
    """Counts how often each column is missing or unknown in some rows.

    Attributes:
        rows: integer, the number of rows.
        missing: tuple of integers, the rows without a value, by field.
        unknown: tuple of integers, the rows whose token is not in the
            vocabulary, by field.
        empty: tuple of integers, the rows without events, by sequence.
        events: tuple of integers, the number of events, by sequence.
        unknown_events: tuple of integers, those whose token is not in the
            vocabulary, by sequence.
    """

    rows: int
    missing: tuple[int, ...]
    unknown: tuple[int, ...]
    empty: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    unknown_events: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, ids: np.ndarray, sequences: Iterable[np.ndarray] = ()
    ) -> "Gaps":
        """Counts the gaps in ids.

        Args:
            ids: `(rows, fields)`.
            sequences: the ids of each sequence, `(rows, max_length)`, padded
                in front.
        """
        padded = list(sequences)
        missing, unknown = (
            tuple(np.count_nonzero(ids == id, axis=0).tolist())
            for id in (MISSING_ID, UNKNOWN_ID)
        )
        return cls(
            len(ids),
            missing,
            unknown,
            tuple(int((one[:, -1] == PADDING).sum()) for one in padded),
            tuple(int((one != PADDING).sum()) for one in padded),
            tuple(int((one == UNKNOWN_ID).sum()) for one in padded),
        )

    @classmethod
    def from_json(cls, content: dict[str, Any] | None) -> "Gaps | None":
        """Returns what `to_json` made `content` of."""
        if content is None:
            return None
        # Former versions knew no sequences.
        counts = (tuple(content.get(n, ())) for n in _COUNTS)
        return cls(content["rows"], *counts)

    def to_json(self) -> dict[str, Any]:
        """Returns the counts; those of sequences only if there are any."""
        return {name: n for name, n in asdict(self).items() if n != ()}

    @classmethod
    def none(cls, num_fields: int, num_sequences: int = 0) -> "Gaps":
        """Returns the gaps of no rows."""
        fields, sequences = (0,) * num_fields, (0,) * num_sequences
        return cls(0, fields, fields, sequences, sequences, sequences)

    @classmethod
    def of_split(
        cls, folder: Path, num_fields: int, num_sequences: int = 0
    ) -> "Gaps":
        """Counts the gaps in the files that `prepare` wrote for a split."""
        gaps = cls.none(num_fields, num_sequences)
        for path in folder.glob("part-*.arrow"):
            with pa.memory_map(str(path)) as file:
                for batch in pa.ipc.open_stream(file):
                    ids = batch.column("ids").flatten().to_numpy()
                    found = cls.of(ids.reshape(-1, num_fields))
                    lists = [
                        batch.column(f"sequence_{i}")
                        for i in range(num_sequences)
                    ]
                    gaps += replace(found, **_of_lists(lists))
        return gaps

    def __add__(self, other: "Gaps") -> "Gaps":
        return Gaps(
            self.rows + other.rows,
            *(_sums(getattr(self, n), getattr(other, n)) for n in _COUNTS),
        )


_COUNTS = ("missing", "unknown", "empty", "events", "unknown_events")


def _of_lists(lists: Sequence[pa.ListArray]) -> dict[str, Any]:
    lengths = [one.value_lengths().to_numpy() for one in lists]
    ids = [one.flatten().to_numpy() for one in lists]
    return {
        "empty": tuple(int((one == 0).sum()) for one in lengths),
        "events": tuple(len(one) for one in ids),
        "unknown_events": tuple(int((x == UNKNOWN_ID).sum()) for x in ids),
    }


def _sums(ours: Sequence[int], theirs: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(ours, theirs, strict=True))
