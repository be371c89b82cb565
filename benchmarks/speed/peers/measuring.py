"""Measures a library's training; needs nothing but NumPy.

A script says how its library trains, as functions that take a number of steps,
make what these need, and return the function whose time counts.
"""

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

EMBEDDING_DIM = 10
HIDDEN_UNITS = [400, 400, 400]

Way = Callable[[int], Callable[[], object]]


class Clicks(NamedTuple):
    """One batch, and the number of ids of each field."""

    dense: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """Most libraries want each column by itself."""
        return {
            **{f"C{i}": column for i, column in enumerate(self.ids.T.copy())},
            **{f"I{i}": column for i, column in enumerate(self.dense.T.copy())},
        }

    def repeated(self, times: int) -> "Clicks":
        """The batch `times` times, as the rows of a data set."""
        rows = times * len(self.labels)
        return Clicks(
            *(np.resize(each, (rows, *each.shape[1:])) for each in self[:3]),
            self.sizes,
        )


def loop(step: Callable[[], object]) -> Way:
    """The bare step: the same batch, ready, over and over."""

    def prepare(steps):
        def run():
            for _ in range(steps):
                step()

        return run

    return prepare


def main(make: Callable[[Clicks], dict[str, Way]], *packages: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="the batch, an .npz file")
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--window-seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    with np.load(arguments.data) as file:
        clicks = Clicks(*(file[name] for name in Clicks._fields))
    ways = make(clicks)
    step_ms: dict[str, list[float]] = {name: [] for name in ways}
    steps = {
        name: number_of_steps(way, arguments.window_seconds)
        for name, way in ways.items()
    }
    for _ in range(arguments.windows):
        for name, way in ways.items():
            step_ms[name].append(1e3 * seconds(way, steps[name]) / steps[name])
    report = {
        "contestants": [
            {"name": name, "step_ms": times} for name, times in step_ms.items()
        ],
        "versions": {package: version(package) for package in packages},
    }
    # Libraries print to stdout as well.
    print(f"\n{json.dumps(report)}")


def number_of_steps(way: Way, window_seconds: float) -> int:
    seconds(way, 1)
    return max(2, round(window_seconds / (seconds(way, 2) / 2)))


def seconds(way: Way, steps: int) -> float:
    run = way(steps)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
