"""Checks arguments; errors show values by `repr`, which tells "1" from 1.

`zoo.checks` repeats some of these: the help of the command line uses them, and
must not import this package, which imports Keras.
"""

from numbers import Integral
from numbers import Real
from typing import Any


def check_positive_integer(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a positive integer."""
    # `bool` is a subclass of `int`.
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not (is_integer and value > 0):
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )


def check_positive(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number above 0."""
    if not (_is_number(value) and value > 0):
        raise ValueError(
            f"`{name}` must be a positive number. Received: {name}={value!r}"
        )


def check_not_negative(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number from 0 on."""
    if not (_is_number(value) and value >= 0):
        raise ValueError(
            f"`{name}` must be a number that is not negative. "
            f"Received: {name}={value!r}"
        )


def check_decay_rate(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number in `[0, 1)`."""
    if not (_is_number(value) and 0 <= value < 1):
        raise ValueError(
            f"`{name}` must be a number in [0, 1). Received: {name}={value!r}"
        )


def check_boolean(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is `True` or `False`."""
    if not isinstance(value, bool):
        raise ValueError(
            f"`{name}` must be a boolean. Received: {name}={value!r}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
