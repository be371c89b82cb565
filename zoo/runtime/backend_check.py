"""Checks `KERAS_BACKEND` before Keras is imported."""

import importlib.util
import os

BACKENDS = ("tensorflow", "jax", "torch")


def check_backend() -> None:
    """Raises if `KERAS_BACKEND` names no backend or one not installed.

    Raises:
        ImportError: saying which values are allowed or what to install.
    """
    name = os.environ.get("KERAS_BACKEND")
    if not name:
        installed = [b for b in BACKENDS if importlib.util.find_spec(b)]
        if installed:
            return
        raise ImportError(
            "Keras needs a backend: install one of tensorflow, jax, torch, for "
            'example with `pip install "keras-cowclip[zoo,jax]"`. '
            "Received: none is installed"
        )
    if name not in BACKENDS:
        raise ImportError(
            "The environment variable KERAS_BACKEND must be one of "
            f"tensorflow, jax, torch. Received: KERAS_BACKEND={name}"
        )
    if importlib.util.find_spec(name) is None:
        raise ImportError(
            f"KERAS_BACKEND asks for a backend that is not installed: run "
            f'`pip install "keras-cowclip[zoo,{name}]"`. '
            f"Received: KERAS_BACKEND={name}"
        )
