"""Checks arguments; errors show the value as code, so that text is seen."""

import math
import os
from collections.abc import Callable
from numbers import Integral
from numbers import Real
from typing import Any


def is_positive_integer(value: Any) -> bool:
    """Whether a value is a positive integer of Python or NumPy."""
    return _is_integer(value) and value > 0


def check_positive_integer(name: str, value: Any) -> None:
    """Raises a `ValueError` that names an argument unless it is positive.

    Integers of NumPy pass; booleans and floats such as `2.0` do not.
    """
    _check(name, value, "a positive integer", is_positive_integer(value))


def check_positive_integers(name: str, values: Any) -> None:
    """Raises a `ValueError` unless an argument is a list of positive ones."""
    are_integers = isinstance(values, tuple | list) and all(
        is_positive_integer(value) for value in values
    )
    _check(name, values, "a tuple or list of positive integers", are_integers)


def check_integer(
    name: str, value: Any, smallest: int, largest: float = math.inf
) -> None:
    """Raises a `ValueError` unless an argument is within a range."""
    rule = f"an integer of at least {smallest}"
    if largest != math.inf:
        rule = f"an integer from {smallest} to {largest}"
    fits = _is_integer(value) and smallest <= value <= largest
    _check(name, value, rule, fits)


def check_number(
    name: str, value: Any, rule: str, fits: Callable[[Any], bool]
) -> None:
    """Raises a `ValueError` unless an argument is a number that fits a rule.

    Args:
        name: string, the argument.
        value: what was given for it.
        rule: string, what the number must be, such as `"in [0, 1)"`.
        fits: whether a number is that. Not a number never is.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    is_fit = is_number and not math.isnan(value) and fits(value)
    _check(name, value, f"a number {rule}", is_fit)


def check_not_negative(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number from 0 on."""
    check_number(name, value, "that is not negative", lambda x: x >= 0)


def check_boolean(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is `True` or `False`."""
    _check(name, value, "a boolean", isinstance(value, bool))


def check_path(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a path or its text."""
    is_path = isinstance(value, str | os.PathLike)
    _check(name, value, "a path: text or `os.PathLike`", is_path)


def check_instance(name: str, value: Any, cls: type) -> None:
    """Raises a `ValueError` unless an argument is of a class."""
    _check(name, value, f"a `{cls.__name__}`", isinstance(value, cls))


def _check(name: str, value: Any, rule: str, holds: bool) -> None:
    if not holds:
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={value!r}")


def _is_integer(value: Any) -> bool:
    # `bool` is a subclass of `int`.
    return isinstance(value, Integral) and not isinstance(value, bool)
