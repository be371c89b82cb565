"""Puts the days of a log in order, or says why it can't."""

import re
from collections.abc import Sequence
from datetime import datetime

_YEAR_FIRST = re.compile(
    r"(19|20)[0-9]{2}([-/. ]?)(0?[1-9]|1[0-2])\2(0?[1-9]|[12][0-9]|3[01])"
    r"([^0-9].*)?"
)
# How dates are written that do not begin with the century.
_FORMATS = (
    *("%d%m%Y", "%m%d%Y", "%b %d, %Y", "%B %d, %Y"),
    *(
        f"{first}{separator}{second}{separator}{third}"
        for first, second, third in (
            *(("%d", "%m", "%Y"), ("%m", "%d", "%Y")),
            *(("%d", "%m", "%y"), ("%m", "%d", "%y"), ("%y", "%m", "%d")),
            *(("%d", "%b", "%Y"), ("%b", "%d", "%Y")),
            *(("%d", "%B", "%Y"), ("%B", "%d", "%Y")),
        )
        for separator in "-/. "
    ),
)


def in_order(days: Sequence[str]) -> list[str]:
    """Sorts days from the first to the last.

    Dates are ordered as dates. Other texts are ordered by the numbers in them,
    if they are otherwise the same: `141021` and `141022`, `day_2` and
    `day_10`. A row without a day belongs to the first one.

    Args:
        days: distinct strings.

    Raises:
        ValueError: if the order can't be known, as that of weekdays, or that
            of dates whose day and month may be either way round.

    Example:

    >>> in_order(["day_10", "day_2"])
    ['day_2', 'day_10']
    >>> in_order(["12/31/2023", "01/02/2024"])
    ['12/31/2023', '01/02/2024']
    """
    known = [day for day in days if day]
    without = [day for day in days if not day]
    if not all(_YEAR_FIRST.fullmatch(day) for day in known):
        orders = {tuple(order) for order in _orders_of_dates(known)}
        if len(orders) > 1:
            raise _unknown(known, "day and month may be either way round")
        if orders:
            return without + list(orders.pop())
        if len({re.sub("[0-9]+", "0", day) for day in known}) > 1:
            raise _unknown(known, "they are neither dates nor numbers")
    return without + sorted(known, key=natural_key)


def natural_key(text: str) -> list[tuple[int, str]]:
    """A sort key that puts `day_2` before `day_10`."""
    return [
        (int(piece), "") if piece.isdecimal() else (-1, piece)
        for piece in re.split("([0-9]+)", text)
    ]


def _orders_of_dates(days: Sequence[str]) -> list[list[str]]:
    """The order of the days for each format that all of them have."""
    orders = []
    for date_format in _FORMATS:
        try:
            dates = {day: datetime.strptime(day, date_format) for day in days}
        except ValueError:
            continue
        orders.append(sorted(days, key=dates.__getitem__))
    return orders


def _unknown(days: Sequence[str], reason: str) -> ValueError:
    shown = ", ".join(map(repr, sorted(days)[:5]))
    return ValueError(
        f"`split` by day must know the order of the days, and {reason}. Write "
        "them with the year first, as in 2023-12-31, or give the files of "
        "each split as a dict. Received: "
        f"{len(days)} days: {shown}{', ...' if len(days) > 5 else ''}"
    )
