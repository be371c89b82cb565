"""Finds the examples of a text and runs them."""

import doctest
import io
import re

import keras
import numpy as np

import keras_cowclip
import zoo

# Examples may use these without an import; all else they bring themselves.
NAMES = {"keras": keras, "keras_cowclip": keras_cowclip, "np": np, "zoo": zoo}
_FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def fenced_blocks(text: str) -> list[str]:
    """Returns the code of all blocks fenced as Python."""
    return _FENCED.findall(text)


def has_example(text: str) -> bool:
    return bool(fenced_blocks(text)) or ">>> " in text


def run_examples(text: str, name: str) -> None:
    """Runs the fenced blocks of a text and its interactive examples.

    Raises:
        AssertionError: if an interactive example prints something else.
    """
    names = dict(NAMES)
    for number, code in enumerate(fenced_blocks(text)):
        exec(compile(code, f"<{name}, block {number}>", "exec"), names)
    parsed = doctest.DocTestParser().get_doctest(
        _FENCED.sub("", text), dict(NAMES), name, None, 0
    )
    output = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=_FLAGS, verbose=False)
    assert not runner.run(parsed, out=output.write).failed, output.getvalue()
