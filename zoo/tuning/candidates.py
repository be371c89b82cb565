"""Holds the values that a setting may take in a study."""

import json
import math
from dataclasses import dataclass
from numbers import Integral
from numbers import Real
from typing import Any

from zoo.training.recipe import to_python


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`, integers if both ends are."""

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Any, name: str) -> Any:
        """Returns the value that an Optuna trial has for a setting."""
        is_integer = isinstance(self.low, int)
        suggest = trial.suggest_int if is_integer else trial.suggest_float
        return suggest(name, self.low, self.high, log=self.log)

    def stored(self, value: Any) -> Any:
        """Returns a value as Optuna stores it, or `None` for another value."""
        is_inside = _is_number(value) and self.low <= value <= self.high
        if not is_inside or (isinstance(self.low, int) and value != int(value)):
            return None
        return value

    def read(self, stored: Any) -> Any:
        """Returns the value that Optuna has stored."""
        return stored

    def ends(self) -> list[Any]:
        """The values to be tried before a study begins."""
        return [self.low, self.high]

    def to_json(self) -> list[Any]:
        return [self.low, self.high, *(["log"] if self.log else [])]


@dataclass(frozen=True)
class Choices:
    """A few values, in no order."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        labels = list(map(_label, self.values))
        return self.read(trial.suggest_categorical(name, labels))

    def stored(self, value: Any) -> Any:
        label = _label(value)
        return label if label in map(_label, self.values) else None

    def read(self, stored: Any) -> Any:
        return self.values[list(map(_label, self.values)).index(stored)]

    def ends(self) -> list[Any]:
        return list(self.values)

    def to_json(self) -> dict[str, Any]:
        return {"choices": list(map(_label, self.values))}


Candidates = Range | Choices


def make_candidates(name: str, given: Any) -> Candidates:
    """Reads the values that a caller or a network gives a setting.

    Args:
        name: string, the setting.
        given: `(low, high)`, `(low, high, "log")` or a list of values.

    Raises:
        ValueError: if `given` is none of these.
    """
    if isinstance(given, list):
        values = tuple(map(to_python, given))
        if len(values) >= 2 and len({*map(_label, values)}) == len(values):
            return Choices(values)
    elif isinstance(given, tuple) and given[2:] in ((), ("log",)):
        ends = list(map(to_python, given[:2]))
        log = len(given) == 3
        if len(ends) == 2 and all(map(_is_number, ends)) and ends[0] < ends[1]:
            low, high = ends
            if not all(isinstance(end, Integral) for end in ends):
                low, high = float(low), float(high)
            if low > 0 or not log:
                return Range(low, high, log)
    raise ValueError(
        "`params` must have for each setting (low, high) with low < high, "
        '(low, high, "log") with 0 < low < high, or a list of two or more '
        f"different values. Received: {name}={given!r}"
    )


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _label(value: Any) -> str:
    """A value as text, for Optuna stores no lists."""
    return json.dumps(value, default=str)
