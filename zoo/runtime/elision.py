"""Shortens names of columns and files to what a table or a figure can hold."""

import unicodedata
from collections.abc import Sequence

_GAP = "…"


def elide(text: str | Sequence[str], most: int) -> str:
    """Leaves out the middle of a long text, so that both ends stay readable.

    Args:
        text: string, or the pieces of one that must not be cut.
        most: integer, the largest width of the result, in Latin letters.

    Example:

    >>> elide("a_name_that_is_far_too_long", 11)
    'a_nam…_long'
    """
    if sum(map(width, text)) <= most:
        return "".join(text)
    head, tail = "", ""
    pieces = list(text)
    while True:
        if width(head) <= width(tail):
            longer = head + pieces.pop(0), tail
        else:
            longer = head, pieces.pop() + tail
        if sum(map(width, longer)) > most - width(_GAP):
            return head + _GAP + tail
        head, tail = longer


def width(text: str) -> int:
    """Returns the width of a text in Latin letters; Chinese ones count two."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
