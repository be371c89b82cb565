"""Chooses or checks the backend before Keras is imported."""

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path

from zoo.checks import did_you_mean

BACKENDS = ("tensorflow", "jax", "torch")


def check_backend() -> None:
    """Makes sure that Keras finds its backend.

    Without `KERAS_BACKEND` Keras takes the backend of its `keras.json`, which
    is TensorFlow unless a user changed it. If that is not installed, the first
    installed backend takes its place.

    Raises:
        ImportError: saying which values are allowed or what to install.

    Warns:
        UserWarning: if the backend that is taken is not the one of a
            `keras.json`, or is one of several that are installed.
    """
    name = os.environ.get("KERAS_BACKEND")
    if not name:
        if "keras" not in sys.modules:
            _choose_installed()
        return
    if name not in BACKENDS:
        raise ImportError(
            "The environment variable KERAS_BACKEND must be one of "
            f"tensorflow, jax, torch. {did_you_mean(name, BACKENDS)}"
            f"Received: KERAS_BACKEND={name}"
        )
    if not _is_installed(name):
        raise ImportError(
            f"KERAS_BACKEND asks for a backend that is not installed: run "
            f'`pip install "keras-cowclip[zoo,{name}]"`. '
            f"Received: KERAS_BACKEND={name}"
        )


def _choose_installed() -> None:
    installed = [name for name in BACKENDS if _is_installed(name)]
    if not installed:
        raise ImportError(
            "Keras needs a backend: install one of tensorflow, jax, torch, for "
            'example with `pip install "keras-cowclip[zoo,jax]"`. '
            "Received: none is installed"
        )
    file = _config_file()
    configured = _configured(file)
    if (configured or "tensorflow") in installed:
        return
    os.environ["KERAS_BACKEND"] = chosen = installed[0]
    if configured or len(installed) > 1:
        origin = f"of {file}" if configured else "that Keras prefers"
        warnings.warn(
            f"KERAS_BACKEND is not set, and the backend {origin}, "
            f"{configured or 'tensorflow'}, is not installed: {chosen} is "
            f"used. Set KERAS_BACKEND={chosen} to have it without a warning",
            stacklevel=3,
        )


def _is_installed(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    # A folder of that name alone is a package without a file.
    return spec is not None and spec.origin is not None


def _config_file() -> Path:
    """The file that Keras reads, and writes where there is none."""
    home = Path(os.path.expanduser("~"))
    if not os.access(home, os.W_OK):
        home = Path("/tmp")
    folder = os.environ.get("KERAS_HOME", home / ".keras")
    return Path(folder).expanduser() / "keras.json"


def _configured(file: Path) -> str | None:
    try:
        return json.loads(file.read_text())["backend"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
