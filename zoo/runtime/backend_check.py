"""Chooses or checks the backend before Keras is imported."""

import importlib.util
import json
import os
import sys
from pathlib import Path

from zoo.checks import did_you_mean

BACKENDS = ("tensorflow", "jax", "torch")


def check_backend() -> None:
    """Makes sure that Keras finds its backend.

    Without `KERAS_BACKEND` Keras takes the backend of its `keras.json`, which
    is TensorFlow unless a user changed it. If that is not installed, the first
    one that is takes its place.

    Raises:
        ImportError: saying which values are allowed or what to install.
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
    if importlib.util.find_spec(name) is None:
        raise ImportError(
            f"KERAS_BACKEND asks for a backend that is not installed: run "
            f'`pip install "keras-cowclip[zoo,{name}]"`. '
            f"Received: KERAS_BACKEND={name}"
        )


def _choose_installed() -> None:
    installed = [b for b in BACKENDS if importlib.util.find_spec(b)]
    if not installed:
        raise ImportError(
            "Keras needs a backend: install one of tensorflow, jax, torch, for "
            'example with `pip install "keras-cowclip[zoo,jax]"`. '
            "Received: none is installed"
        )
    if _configured() not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]


def _configured() -> str:
    """The backend that Keras takes without the environment variable."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    try:
        return json.loads((home / "keras.json").read_text())["backend"]
    except (OSError, ValueError, LookupError, TypeError):
        return "tensorflow"
