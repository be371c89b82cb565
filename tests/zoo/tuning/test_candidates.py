"""A setting takes a range or choices, which Optuna stores and gives back."""

import math

import numpy as np
import pytest

from zoo.tuning.candidates import Choices
from zoo.tuning.candidates import Range
from zoo.tuning.candidates import make_candidates


@pytest.mark.parametrize(
    "given, expected",
    [
        ((1, 6), Range(1, 6)),
        ((0.0, 0.5), Range(0.0, 0.5)),
        # Numbers, unless both ends are integers.
        ((0, 0.5), Range(0.0, 0.5)),
        ((1e-4, 1e-2, "log"), Range(1e-4, 1e-2, log=True)),
        ((8, 64, "log"), Range(8, 64, log=True)),
        ((np.int64(1), np.int64(6)), Range(1, 6)),
        ([1, 6], Choices((1, 6))),
        (["bit", None, True], Choices(("bit", None, True))),
        ([(64,), (64, 32)], Choices(((64,), (64, 32)))),
    ],
    ids=str,
)
def test_forms(given, expected):
    made = make_candidates("x", given)
    assert made == expected
    if isinstance(made, Range):
        assert type(made.low) is type(made.high) is type(expected.low)


@pytest.mark.parametrize(
    "given",
    [
        5, "1:6", None, {}, (), (1,), (6, 1), (1, 1), (1, 6, "linear"),
        (1, 6, "log", 2), (0, 6, "log"), (-1.0, 6, "log"), (1, math.inf),
        (math.nan, 1), (False, True), ("a", "b"), [], ["a"], ["a", "a"],
        [[1], (1,)],
    ],
    ids=repr,
)  # fmt: skip
def test_other_forms_are_refused(given):
    with pytest.raises(ValueError) as error:
        make_candidates("x", given)
    assert str(error.value).startswith("`params` must have for each setting")
    assert str(error.value).endswith(f"Received: x={given!r}")


@pytest.mark.parametrize("value", ["a", None, True, 3, 0.5, (64, 32)])
def test_a_choice_is_read_as_it_was_given(value):
    choices = make_candidates("x", [value, "other"])
    assert choices.read(choices.stored(value)) == value
    assert choices.stored("neither") is None


def test_numbers_of_numpy_in_a_choice_are_those_of_python():
    choices = make_candidates("x", [(np.int64(64),), (64, 32)])
    assert choices.stored((64,)) == "[64]"


def test_a_value_outside_of_a_range_is_not_stored():
    assert Range(1, 6).stored(6) == 6
    for other in (0, 7, 2.5, None, "3", True, math.nan):
        assert Range(1, 6).stored(other) is None
    assert Range(0.0, 0.5).stored(0) == 0
