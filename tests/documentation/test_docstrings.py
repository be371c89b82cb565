"""Every public name says what it takes, what it raises and how it is used."""

import ast
import inspect
import textwrap

import pytest

from tests.documentation.docstring import entries
from tests.documentation.docstring import sections
from tests.documentation.public_names import callables

CALLABLES = callables()


@pytest.mark.parametrize("address", CALLABLES)
def test_docstring_is_complete(address):
    absent = missing(CALLABLES[address], _class_of(address))
    assert not absent, f"{address} lacks {', '.join(absent)}"


def test_the_check_finds_what_is_missing():
    def bare(first, *, second=None, **others):
        """Does something.

        Args:
            first: integer.
        """
        _refuse(first)

    assert missing(bare) == [
        "`second` in Args",
        "`others` in Args",
        "Example",
        "`ValueError` in Raises",
    ]
    assert missing(_refuse) == ["a docstring"]


def _refuse(value):
    if value:
        raise ValueError(f"Received: {value}")


def missing(value, cls=None):
    """Lists what a docstring does not have and should."""
    text = inspect.getdoc(value)
    if not text:
        return ["a docstring"]
    if isinstance(value, property):
        return []
    parts = sections(text)
    listed = entries(parts.get("Args", "")) | entries(
        parts.get("Attributes", "")
    )
    absent = [f"`{n}` in Args" for n in _parameters(value) if n not in listed]
    if "Example" not in parts and not _is_shown_by(cls, value):
        absent.append("Example")
    raised = entries(parts.get("Raises", ""))
    absent += [
        f"`{name}` in Raises"
        for name in sorted(_raised_by(value))
        if name not in raised
    ]
    return absent


def _class_of(address):
    return CALLABLES.get(address.rpartition(".")[0])


def _parameters(value):
    # What a class inherits from a public one is said there.
    if (
        isinstance(value, type)
        and "__init__" not in vars(value)
        and value.__base__ in CALLABLES.values()
    ):
        return []
    names = list(inspect.signature(value).parameters)
    return [name for name in names if name not in ("self", "cls")]


def _is_shown_by(cls, method):
    """Whether the example of the class calls the method."""
    if cls is None:
        return False
    example = sections(inspect.getdoc(cls) or "").get("Example", "")
    return f".{method.__name__}(" in example


def _raised_by(value):
    """Names of the errors that a function raises, or a class being made.

    Functions and methods of the same module that it calls count as well.
    """
    module = ast.parse(inspect.getsource(inspect.getmodule(value)))
    helpers = {
        node.name: node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
    }
    [own] = ast.parse(textwrap.dedent(inspect.getsource(value))).body
    pending = [own]
    if isinstance(own, ast.ClassDef):
        pending = [
            node
            for node in own.body
            if isinstance(node, ast.FunctionDef)
            and node.name in ("__init__", "__post_init__")
        ]
    seen, raised = set(), set()
    while pending:
        function = pending.pop()
        seen.add(function.name)
        for node in ast.walk(function):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                raised.add(ast.unparse(node.exc.func))
            elif isinstance(node, ast.Call):
                name = _called_here(node.func)
                if name in helpers and name not in seen:
                    pending.append(helpers[name])
    return raised


def _called_here(function):
    if isinstance(function, ast.Name):
        return function.id
    # Only private methods: `self.fit` may be that of any class.
    if isinstance(function, ast.Attribute) and function.attr.startswith("_"):
        return function.attr
    return None
