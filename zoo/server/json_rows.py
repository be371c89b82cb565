"""Turns the JSON of a request into rows, or says what is wrong with it.

Python reads more than JSON and RFC 8259 allow: numbers beyond floats, and names
that repeat. An encoder must not see them.
"""

import json
import math
from collections import Counter
from typing import Any

from zoo.server.refusal import Refusal

_SHAPE = (
    'the body must be {"rows": [{...}, ...]}, a list of objects from columns '
    "to values, or {...} alone for one row"
)
# Reading an integer takes a time that grows with the square of its digits.
_MOST_DIGITS = 1000


class _Unusable:
    """A JSON value that no column can hold.

    An encoder refuses it, and names its column and row.
    """

    def __init__(self, shown: str):
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


class _Repeating(dict):
    """An object in which a name comes several times."""

    repeated: str


def read_rows(body: bytes, max_rows: int) -> list[dict[str, Any]]:
    """Returns the rows of a body.

    Args:
        body: bytes, the JSON.
        max_rows: integer. The most rows that it may have.

    Raises:
        Refusal: for a body that is not UTF-8, not JSON, or has another shape.
    """
    rows = _rows_of(_parsed(_decoded(body)))
    if len(rows) > max_rows:
        raise Refusal(
            413,
            f"`rows` must have at most {max_rows} rows; send them in several "
            f"requests. Received: {len(rows)} rows",
        )
    for number, row in enumerate(rows):
        _check_row(row, number)
    return rows


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(
            400,
            f"the body must be UTF-8. Received: byte 0x{body[error.start]:02x} "
            f"at {error.start}",
        ) from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_Unusable,
        )
    except json.JSONDecodeError as error:
        raise Refusal(
            400, f"the body must be JSON. Received: {error}"
        ) from None
    except RecursionError:
        raise Refusal(
            400, "the body must be JSON. Received: too many nested brackets"
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeating = _Repeating(made)
    [(repeating.repeated, _)] = Counter(n for n, _ in pairs).most_common(1)
    return repeating


def _integer(text: str) -> Any:
    if len(text) <= _MOST_DIGITS:
        return int(text)
    return _Unusable(f"{text[:20]}..., {len(text)} digits")


def _float(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else _Unusable(text)


def _rows_of(parsed: Any) -> list[Any]:
    if not isinstance(parsed, dict) or [*parsed] != ["rows"]:
        received = (
            f"names {[*parsed]}" if isinstance(parsed, dict) else f"{parsed!r}"
        )
        raise Refusal(422, f"{_SHAPE}. Received: {received}")
    if isinstance(parsed, _Repeating):
        raise Refusal(422, f"{_SHAPE}. Received: 'rows' several times")
    rows = parsed["rows"]
    if isinstance(rows, dict):
        return [rows]
    if not isinstance(rows, list):
        raise Refusal(422, f"{_SHAPE}. Received: rows={rows!r}")
    return rows


def _check_row(row: Any, number: int) -> None:
    if not isinstance(row, dict):
        raise Refusal(
            422,
            "`rows` must hold objects from columns to values, and row "
            f"{number} is none. Received: {row!r}",
        )
    if isinstance(row, _Repeating):
        raise Refusal(
            422,
            "`rows` must have one value for each column, and column "
            f"{row.repeated!r} comes several times in row {number}. "
            f"Received: names {[*row]}",
        )
