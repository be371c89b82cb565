"""The names a user may rely on, found in the source: no list is kept."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import keras_cowclip
import zoo
import zoo.encoding
import zoo.server

MODULES = (
    keras_cowclip,
    zoo,
    zoo.datasets,
    zoo.datasets.synthetic,
    zoo.encoding,
    zoo.server,
)
OURS = ("keras_cowclip", "zoo")


def public_names() -> dict[str, Any]:
    """Every public thing once, by the first address it is found at."""
    found: dict[str, Any] = {}
    seen = set()
    for module in MODULES:
        for name in names_of(module):
            value = getattr(module, name)
            if id(value) not in seen and not inspect.ismodule(value):
                seen.add(id(value))
                found[f"{module.__name__}.{name}"] = value
    return found


def names_of(module: Any) -> Iterator[str]:
    """Yields what a module re-exports, defines or documents."""
    body = list(_statements(ast.parse(inspect.getsource(module))))
    for statement, next_one in zip(body, [*body[1:], None], strict=True):
        names: list[str] = []
        if isinstance(statement, ast.ImportFrom):
            # `from a import b as b` makes a name public, here as for mypy.
            names = [a.name for a in statement.names if a.asname == a.name]
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names = [statement.name]
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and _is_text(
            next_one
        ):
            targets = getattr(statement, "targets", None)
            for target in targets or [statement.target]:
                names.append(target.id)
        yield from (name for name in names if not name.startswith("_"))


def callables() -> dict[str, Any]:
    """The public functions and classes, and the classes' own methods."""
    found = {}
    for address, value in public_names().items():
        if inspect.isclass(value):
            found[address] = value
            for name, member in own_members(value):
                found[f"{address}.{name}"] = member
        elif inspect.isfunction(value):
            found[address] = value
    return found


def own_members(cls: type) -> Iterator[tuple[str, Any]]:
    """Yields public methods and properties that no library described before.

    What a class of Keras or Python has too, does what that one says.
    """
    libraries = [c for c in cls.__mro__ if not is_ours(c)]
    for name in dir(cls):
        if name.startswith("_") or any(hasattr(c, name) for c in libraries):
            continue
        member = inspect.getattr_static(cls, name)
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        if inspect.isfunction(member) or isinstance(member, property):
            yield name, member


def is_ours(value: Any) -> bool:
    return value.__module__.partition(".")[0] in OURS


def _statements(block: ast.Module | ast.If) -> Iterator[ast.stmt]:
    """Yields the statements of a module, also those behind a condition."""
    for statement in block.body:
        if isinstance(statement, ast.If):
            yield from _statements(statement)
        else:
            yield statement


def _is_text(statement: ast.stmt | None) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
