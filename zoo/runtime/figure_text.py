"""Makes names that users chose fit for the text of a figure."""

import contextlib
import functools
import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from zoo.runtime.elision import elide
from zoo.runtime.elision import width

# A character as `drawable` writes it.
_PIECES = re.compile(r"\\\$|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|.")
# Fonts that have a box for every character.
_BOXES = ("last resort", "lastresort", "blank", "notdef")
_LETTERS_PER_INCH = 8.5  # In the font size of a title.


def drawable(text: str, most: int = 40) -> str:
    r"""Returns a name as Matplotlib draws it.

    Dollar signs are escaped, because Matplotlib reads `$...$` as a formula. A
    character that no installed font has becomes `\u4f8b`, and the middle of a
    long name is left out. Draw it within `fonts_for`.

    Args:
        text: string, a name.
        most: integer, the largest width of the result, in Latin letters.
            Defaults to `40`.
    """
    return elide([_drawable_character(character) for character in text], most)


@contextlib.contextmanager
def fonts_for(texts: Iterable[str]) -> Iterator[None]:
    """Adds installed fonts that have what the usual one lacks.

    Create a figure, and save it, within the scope: a text takes its fonts when
    it is made. Matplotlib then takes each character from the first font that
    has it.

    Args:
        texts: strings, the names that the figure shows.

    Example:

    ```python
    with fonts_for(["价格"]):
        figure = Figure()
        figure.suptitle(drawable("价格"))
        figure.savefig("prices.png")
    ```
    """
    usual = list(matplotlib.rcParams["font.family"])
    found = [_family_with(character) for text in texts for character in text]
    families = dict.fromkeys([*usual, *filter(None, found)])
    with matplotlib.rc_context({"font.family": list(families)}):
        yield


def wrapped(text: str, most: int) -> str:
    """Breaks a text into lines, at spaces where there are some.

    Args:
        text: string.
        most: integer, the largest width of a line, in Latin letters.

    Example:

    >>> wrapped("deepfm of shop", 9)
    'deepfm of\\nshop'
    """
    rows = [row for line in text.split("\n") for row in _rows(line, most)]
    return "\n".join(rows)


def set_title(figure: Figure, title: str) -> None:
    """Writes a title over a figure, in lines that fit its width.

    Args:
        figure: `matplotlib.figure.Figure`.
        title: string.
    """
    letters = int(_LETTERS_PER_INCH * figure.get_figwidth())
    figure.suptitle(wrapped(title, letters))


def _rows(line: str, most: int) -> list[str]:
    rows = [""]
    for word in line.split(" "):
        joined = f"{rows[-1]} {word}".lstrip()
        if width(joined) <= most:
            rows[-1] = joined
            continue
        if rows[-1]:
            rows.append("")
        for piece in _PIECES.findall(word):
            if width(rows[-1] + piece) > most:
                rows.append("")
            rows[-1] += piece
    return rows


def _drawable_character(character: str) -> str:
    if character == "$":
        return r"\$"
    if _has_glyph(_usual_font(), character) or _family_with(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _family_with(character: str) -> str | None:
    """The family of a font that has a character, if the usual one has not."""
    if _has_glyph(_usual_font(), character) or not character.isprintable():
        return None
    for entry in _installed():
        if _has_glyph(entry.fname, character):
            return entry.name
    return None


def _installed() -> list[Any]:
    """The upright and regular font of every family, or the nearest to it."""
    entries: dict[str, Any] = {}
    for entry in sorted(font_manager.fontManager.ttflist, key=_irregularity):
        if not any(word in entry.name.lower() for word in _BOXES):
            entries.setdefault(entry.name, entry)
    return [entries[name] for name in sorted(entries)]


def _irregularity(entry: Any) -> tuple[bool, bool, int, bool]:
    weight = font_manager.weight_dict.get(entry.weight, entry.weight)
    return (
        entry.style != "normal",
        entry.variant != "normal",
        abs(int(weight) - font_manager.weight_dict["normal"]),
        entry.stretch != "normal",
    )


def _usual_font() -> str:
    return font_manager.findfont(FontProperties())


def _has_glyph(path: str, character: str) -> bool:
    return ord(character) in _characters_of(path)


@functools.cache
def _characters_of(path: str) -> frozenset[int]:
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):  # A font that Matplotlib can't open.
        return frozenset()
