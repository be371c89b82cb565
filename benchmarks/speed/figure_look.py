"""Gives figures of benchmarks the look of the zoo's, without importing it."""

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib

_STYLE = Path(__file__).parents[2] / "zoo" / "runtime" / "figures.mplstyle"


def project_look() -> AbstractContextManager:
    """Returns the scope within which a figure is made and saved."""
    return matplotlib.rc_context(fname=_STYLE)
