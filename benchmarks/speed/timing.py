"""Times a function."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any


def median_seconds(function: Callable[[], Any], rounds: int) -> float:
    """Returns the median of `rounds` calls, after one that is not counted."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times[1:])
