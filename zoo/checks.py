"""Checks integer arguments."""

from numbers import Integral
from typing import Any


def is_positive_integer(value: Any) -> bool:
    """Whether a value is a positive integer of Python or NumPy."""
    return _is_integer(value) and value > 0


def check_positive_integer(name: str, value: Any) -> None:
    """Raises a `ValueError` that names an argument unless it is positive.

    Integers of NumPy pass; booleans and floats such as `2.0` do not.
    """
    if not is_positive_integer(value):
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )


def check_integer(name: str, value: Any, smallest: int) -> None:
    """Raises a `ValueError` unless an argument is at least `smallest`."""
    if not _is_integer(value) or value < smallest:
        raise ValueError(
            f"`{name}` must be an integer of at least {smallest}. "
            f"Received: {name}={value!r}"
        )


def _is_integer(value: Any) -> bool:
    # `bool` is a subclass of `int`.
    return isinstance(value, Integral) and not isinstance(value, bool)
