"""Packages that only the loaders need; they are slow to import."""

import importlib
from types import ModuleType


def import_extra(name: str) -> ModuleType:
    """Imports a package of the extra `zoo` at the moment it is needed.

    Raises:
        ImportError: saying how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Loading data sets needs the package `{name}`: run "
            f"`pip install 'keras-cowclip[zoo]'`. Received: {error}"
        ) from error
