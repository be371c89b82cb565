"""Imports packages that only the loaders need, and only then."""

import importlib
from types import ModuleType


def import_extra(name: str) -> ModuleType:
    """Imports a package of the extra `zoo`.

    Raises:
        ImportError: with the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Loading data sets needs the package `{name}`: run "
            f"`pip install 'keras-cowclip[zoo]'`. Received: {error}"
        ) from error
