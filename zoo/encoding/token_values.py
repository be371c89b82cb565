"""Tells by value which tokens are the same number or boolean.

Does what `zoo.encoding.vocabulary_sql.value_of` does, without a database.
"""

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from zoo.raw.log_format import NUMBER_PATTERNS

_INTEGRAL = re.compile(r"[-+]?[0-9]{1,37}([.]0*)?")
_NUMBER = re.compile(NUMBER_PATTERNS["float"].strip("^$"))
_PLAIN = "(0|-?[1-9][0-9]{0,36}|true|false)"
_PLAIN_PATTERN = re.compile(_PLAIN)
# Of tokens that may have a value: `value_of` has the last word.
_MAY_HAVE_VALUE = r"^([-+]?[.]?[0-9].*|(?i:true|false))$"


def value_of(token: str) -> str | None:
    """Returns the value of a token; `None` unless it is number or boolean.

    `007`, `7.0` and `7` have the same value, and so have `True` and `true`.

    Args:
        token: string.
    """
    if _INTEGRAL.fullmatch(token):
        return str(int(token.partition(".")[0]))
    if not _NUMBER.fullmatch(token):
        lowered = token.lower()
        return lowered if lowered in ("true", "false") else None
    number = float(token)
    if number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    return repr(number)


def is_plain_value(value: str) -> bool:
    """Whether a value is an integer or a boolean, which spells itself."""
    return _PLAIN_PATTERN.fullmatch(value) is not None


def other_values(tokens: pa.Array) -> Iterator[tuple[int, str]]:
    """Yields place and value of tokens whose value is not plainly themselves.

    Args:
        tokens: texts, without nulls.
    """
    is_plain = pc.match_substring_regex(tokens, f"^{_PLAIN}$")
    may = pc.match_substring_regex(tokens, _MAY_HAVE_VALUE)
    places = pc.indices_nonzero(pc.and_not(may, is_plain))
    for place, token in zip(
        places.to_pylist(), tokens.take(places).to_pylist(), strict=True
    ):
        value = value_of(token)
        if value is not None:
            yield place, value
