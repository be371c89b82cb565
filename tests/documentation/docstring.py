"""What a docstring of this project says, by section."""

import re

_HEADERS = (
    "Args",
    "Attributes",
    "Example",
    "Input shape",
    "Output shape",
    "Raises",
    "Reference",
    "Returns",
    "Returns (by index)",
    "Yields",
)
_HEADER = re.compile(
    rf"^({'|'.join(map(re.escape, _HEADERS))}):$", re.MULTILINE
)
# `name: ...`, or several names with commas between them.
_ENTRY = re.compile(r"^ {4}([*\w]+(?:, [*\w]+)*):", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Returns the text below each header of a docstring."""
    _, *parts = _HEADER.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def entries(section: str) -> set[str]:
    """Returns what a section lists: arguments, attributes or errors."""
    return {
        name.strip("*")
        for names in _ENTRY.findall(section)
        for name in names.split(", ")
    }
