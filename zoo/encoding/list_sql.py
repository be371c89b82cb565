"""Writes the encoding of lists as SQL text: see `zoo.encoding.sql`."""

from collections.abc import Iterable

from zoo.encoding.sql import quoted_text
from zoo.encoding.sql import without_missing
from zoo.raw.log_format import LogFormat


def staged_lists(origin: str, lists: Iterable[str]) -> str:
    """Selects `staged_lists` from `raw`, with an expression for the origin.

    Args:
        lists: `list_columns`.
    """
    columns = ["row_id", f"{origin} as origin", *lists]
    return f"select {', '.join(columns)} from raw"


def list_columns(log_format: LogFormat, joins_lists: bool) -> list[str]:
    """The columns `sequence_0`, ... of `staged_lists`.

    Args:
        joins_lists: boolean. Whether a list is one text in `raw`.
    """
    return [
        f"last_items({raw_list(log_format, i, joins_lists)}, "
        f"{column.max_length}) as sequence_{i}"
        for i, column in enumerate(log_format.sequences.values())
    ]


def raw_list(log_format: LogFormat, number: int, joins_lists: bool) -> str:
    """A list of `raw` with all of its tokens, NULL where it is missing."""
    text = f"sequence_{number}"
    if not joins_lists:
        return text
    name = list(log_format.sequences)[number]
    separator = quoted_text(log_format.sequences[name].separator)
    text = without_missing(text, log_format.missing_in(name))
    return f"string_split({text}, {separator})"


def events(log_format: LogFormat, number: int) -> str:
    """Selects `events_i` of a list from `log_lists`.

    Args:
        number: integer. Number of the list.
    """
    name = list(log_format.sequences)[number]
    items = f"sequence_{number}"
    token = without_missing("token", log_format.missing_in(name))
    return (
        f"select row_id, split, position, {token} as token from "
        f"(select row_id, split, unnest({items}) as token, "
        f"generate_subscripts({items}, 1) as position from log_lists) as items"
    )


def list_counts(num_lists: int) -> str:
    """Selects for each list the number of rows that have events, and of events.

    Args:
        num_lists: integer.
    """
    columns = []
    for i in range(num_lists):
        length = f"array_length(sequence_{i})"
        columns.append(
            f"sum(case when {length} > 0 then 1 else 0 end) as rows_{i}, "
            f"sum({length}) as tokens_{i}"
        )
    return f"select {', '.join(columns)} from log_lists"


def lengths(number: int, where: str) -> str:
    """Selects row number and length of a list from `log_lists`."""
    return (
        f"select row_id, array_length(sequence_{number}) as length "
        f"from log_lists where {where}"
    )
