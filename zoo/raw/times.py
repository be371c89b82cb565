"""Reads the times of a log's rows, to split it by them.

A time is a date (`2024-01-31`), a date and time (`2024-01-31 23:59`, also with
seconds and `T`, without a zone or in UTC), or the time since 1970 in seconds,
milli-, micro- or nanoseconds. Each becomes a text for its minute, and those
texts sort as times do. Minutes are few enough to count the rows of each one.
"""

from datetime import UTC
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from zoo.raw.columns import is_text

RULE = (
    "a time such as 2024-01-31, 2024-01-31 23:59:59 (without a zone or UTC) "
    "or 1706745599, seconds since 1970"
)

# The digits of a time since 1970, from 1973 on, and its units in a minute.
_UNIX = (
    ("[0-9]{9,10}([.][0-9]*)?", 60),
    ("[0-9]{12,13}", 60 * 10**3),
    ("[0-9]{15,16}", 60 * 10**6),
    ("[0-9]{18,19}", 60 * 10**9),
)
_DATE = (
    "(19|20)[0-9]{2}[-/](0[1-9]|1[0-2])[-/](0[1-9]|[12][0-9]|3[01])"
    "([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?)?"
    "( ?(Z|UTC|[+]00:?00))?"
)
PATTERN = f"^({'|'.join([*(digits for digits, _ in _UNIX), _DATE])})$"
_CLOCK_LENGTH = len("2024-01-31 23:59")


def minute(column: str) -> str:
    """The minute of a time as SQL, for texts that fit `PATTERN`.

    Args:
        column: string. Name of the column of `raw`.
    """
    cases = []
    for digits, per_minute in _UNIX:
        minutes = f"floor(cast({column} as double) / {per_minute})"
        cases.append(
            f"when regexp_matches({column}, '^{digits}$') "
            f"then lpad(cast(cast({minutes} as bigint) as varchar), 10, '0')"
        )
    clock = f"substr({column}, 1, {_CLOCK_LENGTH})"
    clock = f"replace(replace({clock}, '/', '-'), 'T', ' ')"
    # A date may be followed by a zone instead of a clock.
    date = f"substr({clock}, 1, 10)"
    return (
        f"case {' '.join(cases)} when regexp_matches({column}, ':[0-9]{{2}}') "
        f"and not regexp_matches({column}, '^.{{10}} ?[+]') "
        f"then {clock} else {date} end"
    )


def shown(minute: str) -> str:
    """A minute as people write it."""
    if not minute.isdecimal():
        return minute
    time = datetime.fromtimestamp(int(minute) * 60, UTC)
    return f"{time:%Y-%m-%d %H:%M} UTC"


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Turns a column of times into text; `None` if it holds something else."""
    column_type = column.type
    if pa.types.is_dictionary(column_type):
        return as_text(column.cast(column_type.value_type))
    if pa.types.is_date(column_type):
        return column.cast(pa.date32()).cast(pa.string())
    if pa.types.is_timestamp(column_type):
        seconds = pc.floor_temporal(column, unit="second")
        if column_type.tz is not None:
            seconds = seconds.cast(pa.timestamp("s", column_type.tz))
            return seconds.cast(pa.int64()).cast(pa.string())
        return seconds.cast(pa.timestamp("s")).cast(pa.string())
    if pa.types.is_floating(column_type):
        return pc.floor(column).cast(pa.int64()).cast(pa.string())
    if pa.types.is_integer(column_type) or is_text(column_type):
        return column.cast(pa.string())
    return None
