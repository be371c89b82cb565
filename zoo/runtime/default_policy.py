"""Gives layers a dtype policy where they are made."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def dtype_scope(dtype: Any) -> Iterator[None]:
    """Gives a policy to each layer that is made in this scope.

    Args:
        dtype: string or `keras.DTypePolicy`; `None` leaves Keras' global one.
    """
    if dtype is None:
        yield
        return
    before = keras.config.dtype_policy()
    # Keras keeps it for each thread.
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
