"""Brings docstrings into the form that the reference is built from."""

import re
from typing import Any

import griffe

# Our headers that griffe does not know; Markdown follows them.
_HEADER = re.compile(
    r"^(Example|Input shape|Output shape|Reference|Returns \(by index\)):$",
    re.MULTILINE,
)
_INTERACTIVE = re.compile(r"^>>> .*(?:\n(?!$).*)*", re.MULTILINE)


class MarkdownDocstrings(griffe.Extension):
    """Makes our headers bold, and fences interactive examples.

    Griffe knows neither, and Markdown takes `>>>` for a quotation.
    """

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    text = _INTERACTIVE.sub(r"```pycon\n\g<0>\n```", text)
    parts = _HEADER.split(text)
    for i in range(1, len(parts), 2):
        body = parts[i + 1]
        if body.startswith("\n    "):
            head, separator, rest = body.partition("\n\n")
            head = re.sub(r"^ {4}", "", head, flags=re.MULTILINE)
            body = f"\n{head}{separator}{rest}"
        elif not body.startswith("\n\n"):
            body = f"\n{body}"
        parts[i], parts[i + 1] = f"**{parts[i]}**\n", body
    return "".join(parts)
