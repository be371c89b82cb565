"""Hides all backends but that of `KERAS_BACKEND`, as if none was installed.

Python imports this file at its start where `PYTHONPATH` has its folder. So one
environment serves the tests of each backend.
"""

import os
import sys
from importlib.machinery import PathFinder

BACKEND = os.environ.get("KERAS_BACKEND")
OTHERS = {"tensorflow", "jax", "torch"} - {BACKEND}


class OneBackend(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in OTHERS:
            return None
        return super().find_spec(fullname, path, target)


if BACKEND:
    sys.meta_path[sys.meta_path.index(PathFinder)] = OneBackend
