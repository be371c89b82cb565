"""Values of wrong types and ranges, and how a message must refuse them."""

import math

import pytest

NO_POSITIVE_INTEGERS = ["10", "x", 2.5, 2.0, math.nan, True, 0, -1, [4], None]
NO_NUMBERS = ["0.1", "x", math.nan, True, [0.1], None]
NEGATIVE = [*NO_NUMBERS, -1.0]
NO_DECAY_RATES = [*NEGATIVE, 1.0, 2]
NO_BOOLEANS = ["yes", "False", 2, [], None]
NO_PATHS = [3, True, [], None]


def but_none(values):
    """The same without `None`, for an argument that may be `None`."""
    return [value for value in values if value is not None]


def each(wrong):
    """Lists the pairs of an argument and a value that it must refuse."""
    return [
        pytest.param(name, value, id=f"{name}={value!r}")
        for name, values in wrong.items()
        for value in values
    ]


def check_refused(name, value, call):
    """The message begins with the argument, and ends in the value as code."""
    with pytest.raises(ValueError) as error:
        call(**{name: value})
    message = str(error.value)
    assert message.startswith(f"`{name}` must ")
    assert message.endswith(f" Received: {name}={value!r}")
