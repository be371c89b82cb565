"""Says where rows to be scored have far more gaps than those of validation."""

import math
import warnings
from collections.abc import Iterator
from collections.abc import Sequence

from zoo.checks import check_number
from zoo.encoding.gaps import Gaps

# A share that is higher by less does little harm.
_FEWEST_MORE = 0.1
# So many standard deviations above what is expected are no matter of chance.
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
    max_unknown: float | None = None,
) -> None:
    """Warns of columns with far more gaps than expected.

    Args:
        received: `Gaps` of the rows that were scored.
        expected: `Gaps` of the validation split, or `None` if not known.
        fields: names of the columns.
        max_unknown: float, the share of unknown ids that a column may have;
            `None` for any.

    Raises:
        ValueError: for a column with a larger share than `max_unknown`.

    Warns:
        UnknownIdsWarning: with columns and shares.
    """
    rows = received.rows
    if max_unknown is not None:
        for name, unknown in zip(fields, received.unknown, strict=True):
            if unknown > max_unknown * rows:
                raise ValueError(
                    f"`max_unknown` is {max_unknown:g}, and column '{name}' "
                    "has a larger share of values that training has not seen. "
                    f"Received: {unknown / rows:.4f} of {rows:,} rows"
                )
    if expected is None or not expected.rows or not rows:
        return
    found = [
        f"'{name}' is {what} in {share:.1%} of the rows, {usual:.1%} there"
        for what in ("unknown", "missing")
        for name, share, usual in _shares_far_above(
            fields,
            rows,
            getattr(received, what),
            [n / expected.rows for n in getattr(expected, what)],
        )
    ]
    if found:
        warnings.warn(
            "Columns have far more gaps than in the validation split: "
            f"{'; '.join(found)}. Are the values written as they were in "
            "training? The scores hardly depend on a value that is unknown.",
            UnknownIdsWarning,
            stacklevel=3,
        )


def _shares_far_above(
    fields: Sequence[str],
    rows: int,
    counts: Sequence[int],
    usual_shares: Sequence[float],
) -> Iterator[tuple[str, float, float]]:
    for name, count, usual in zip(fields, counts, usual_shares, strict=True):
        deviation = math.sqrt(rows * usual * (1 - usual) + 1)
        is_chance = count <= rows * usual + _DEVIATIONS * deviation
        if not is_chance and count / rows > usual + _FEWEST_MORE:
            yield name, count / rows, usual
