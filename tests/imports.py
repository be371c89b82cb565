"""Reads what a file imports."""

import ast


def imports_in(path):
    """Yields the dotted names that a file imports, anywhere in it.

    `from a import b` is `a.b`, whether `b` is a module or not.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
