"""Encoded rows in memory: inputs, labels and, in some logs, weights."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

# `(inputs, labels)`, or `(inputs, labels, weights)` in a log with weights.
Rows = tuple[Any, ...]


def dtype_of(name: str) -> str:
    """The type of an input: numbers in `"dense"`, ids in all others."""
    return "float32" if name == "dense" else "int32"


def shape_of_labels(names: Sequence[str], rows: int) -> tuple[int, ...]:
    """The shape of labels: several are side by side, one is not."""
    return (rows, len(names)) if len(names) > 1 else (rows,)


def map_arrays(function: Callable[..., Any], *rows: Rows) -> Rows:
    """Calls a function with each array of rows, or with those of several.

    Args:
        function: takes as many arrays as there are `rows`.
        rows: tuples of a dict of inputs, labels and perhaps weights, alike.

    Returns:
        What the function returns, in the same places.

    Example:

    >>> inputs, labels = map_arrays(len, ({"ids": np.zeros((4, 2))}, [0] * 4))
    >>> inputs, labels
    ({'ids': 4}, 4)
    """
    inputs, *others = zip(*rows, strict=True)
    return (
        {
            name: function(*(each[name] for each in inputs))
            for name in inputs[0]
        },
        *(function(*arrays) for arrays in others),
    )


def cut(rows: Rows, start: int, stop: int) -> Rows:
    """Returns views of the rows from `start` to `stop`."""
    return map_arrays(lambda array: array[start:stop], rows)


def concatenated(pieces: list[Rows]) -> Rows:
    """Puts rows one behind the other; a single piece is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    return map_arrays(lambda *arrays: np.concatenate(arrays), *pieces)
