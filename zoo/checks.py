"""Checks arguments. Errors show values as code: `'1'` is not `1`."""

import difflib
import math
import os
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
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
        fits: function that says whether a number obeys the rule. NaN never
            does.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    is_fit = is_number and not math.isnan(value) and fits(value)
    _check(name, value, f"a number {rule}", is_fit)


def check_not_negative(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number from 0 on."""
    check_number(name, value, "that is not negative", lambda x: x >= 0)


def check_positive(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a number above 0."""
    check_number(name, value, "that is positive", lambda x: x > 0)


def check_rate(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is a rate of dropout."""
    check_number(name, value, "in [0, 1)", lambda x: 0 <= x < 1)


def check_names(name: str, values: Any) -> None:
    """Raises a `ValueError` unless an argument is a list of names."""
    are_names = isinstance(values, tuple | list) and all(
        isinstance(value, str) for value in values
    )
    _check(name, values, "a tuple or list of names", are_names)


def check_boolean(name: str, value: Any) -> None:
    """Raises a `ValueError` unless an argument is `True` or `False`."""
    _check(name, value, "a boolean", isinstance(value, bool))


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Raises a `ValueError` unless an argument is one of a few values.

    The message proposes the one that it resembles.
    """
    choices = list(choices)
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {choices}. {did_you_mean(value, choices)}"
            f"Received: {name}={value!r}"
        )


def check_known(
    what: str, arguments: Mapping[str, Any], known: Iterable[str]
) -> None:
    """Raises a `ValueError` for arguments that are not among the known ones.

    Args:
        what: string, the subject of the message, as "Settings of a recipe".
        arguments: dict from names to values.
        known: the names that there are.
    """
    known = list(known)
    unknown = {n: v for n, v in arguments.items() if n not in known}
    if unknown:
        raise ValueError(
            f"{what} must be among {known}. "
            f"{''.join(did_you_mean(name, known) for name in unknown)}"
            f"Received: {', '.join(f'{n}={v!r}' for n, v in unknown.items())}"
        )


def did_you_mean(value: Any, choices: Iterable[Any]) -> str:
    """Returns a question, and a space behind it, or `""` if nothing is close.

    Args:
        value: what was given.
        choices: the values that there are; those that are no text are left
            out.

    Example:

    >>> did_you_mean("DeepFMM", ["dcn", "deepfm"])
    "Did you mean 'deepfm'? "
    """
    small = {c.casefold(): c for c in choices if isinstance(c, str)}
    close = difflib.get_close_matches(str(value).casefold(), small, n=1)
    return f"Did you mean {small[close[0]]!r}? " if close else ""


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
