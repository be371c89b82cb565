"""Finds columns with far more gaps in scored rows than in validation."""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from zoo.checks import check_number
from zoo.encoding.gaps import Gaps

# A share that rises by less does little harm.
_FEWEST_MORE = 0.1
# A number of so many standard deviations above the expected is no chance.
_DEVIATIONS = 5


class UnknownIdsWarning(UserWarning):
    """Far more of a column is unknown or missing than in validation."""


def check_max_unknown(max_unknown: float | None) -> None:
    """Raises a `ValueError` unless it is a share, or `None` for any."""
    if max_unknown is not None:
        check_number(
            "max_unknown", max_unknown, "in [0, 1]", lambda x: 0 <= x <= 1
        )


def check_gaps(
    received: Gaps,
    expected: Gaps | None,
    fields: Sequence[str],
    max_unknown: float | None,
    sequences: Sequence[str],
) -> None:
    """Warns of columns with far more gaps than expected.

    The gaps of a sequence are unknown events and rows without events.

    Args:
        received: `Gaps` of the rows that were scored.
        expected: `Gaps` of the validation split, or `None` if not known.
        fields: names of the columns.
        max_unknown: float, the share of unknown ids that a column may have;
            `None` for any.
        sequences: names of the sequences.

    Raises:
        ValueError: for a column with a larger share than `max_unknown`.

    Warns:
        UnknownIdsWarning: with columns and shares.
    """
    found = _shares(received, fields, sequences)
    limit = 1.0 if max_unknown is None else max_unknown
    for share in found:
        if share.what == "unknown" and share.number > limit * share.total:
            raise ValueError(
                f"`max_unknown` is {max_unknown:g}, and column '{share.name}' "
                "has a larger share of values that training has not seen. "
                f"Received: {share.number / share.total:.4f} of "
                f"{share.total:,} {share.of}"
            )
    if expected is None or not expected.rows or not received.rows:
        return
    usual = _shares(expected, fields, sequences)
    texts = [
        f"'{ours.name}' is {ours.what} in {ours.number / ours.total:.1%} of "
        f"the {ours.of}, {theirs.number / theirs.total:.1%} there"
        for ours, theirs in zip(found, usual, strict=True)
        if ours.is_far_above(theirs)
    ]
    if texts:
        warnings.warn(
            "Columns have far more gaps than in the validation split: "
            f"{'; '.join(texts)}. Are the values written as they were in "
            "training? The scores hardly depend on a value that is unknown.",
            UnknownIdsWarning,
            stacklevel=3,
        )


class _Share(NamedTuple):
    """The number of a column's rows, or events, that have a gap, of all."""

    name: str
    what: str
    of: str
    number: int
    total: int

    def is_far_above(self, usual: "_Share") -> bool:
        if not self.total or not usual.total:
            return False
        expected = usual.number / usual.total
        deviation = math.sqrt(self.total * expected * (1 - expected) + 1)
        is_chance = (
            self.number <= self.total * expected + _DEVIATIONS * deviation
        )
        return (
            not is_chance and self.number / self.total > expected + _FEWEST_MORE
        )


def _shares(
    gaps: Gaps, fields: Sequence[str], sequences: Sequence[str]
) -> list[_Share]:
    shares = [
        _Share(name, what, "rows", count, gaps.rows)
        for what, counts in (
            ("unknown", gaps.unknown),
            ("missing", gaps.missing),
        )
        for name, count in zip(fields, counts, strict=True)
    ]
    for name, empty, events, unknown in zip(
        sequences, gaps.empty, gaps.events, gaps.unknown_events, strict=True
    ):
        shares.append(_Share(name, "unknown", "events", unknown, events))
        shares.append(_Share(name, "empty", "rows", empty, gaps.rows))
    return shares
