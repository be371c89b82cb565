"""Takes perceptrons that are one stack in the zoo."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo.interop.original import Original


def take_stacked(
    original: Original, prefixes: Iterable[str], take: Callable[[str], Any]
) -> Any:
    """Takes several perceptrons into the weights of one stack.

    Args:
        original: `Original`.
        prefixes: strings, what the original calls them, in their order.
        take: function that takes the one of a prefix, as if it were alone,
            into `original.weights`. Biases of the logit are then in
            `"click/bias"`, one for each label.

    Returns:
        What `take` returned for the last of them.
    """
    others, arguments = original.weights, original.arguments
    stack, returned = [], None
    for prefix in prefixes:
        # `take` may set arguments of the one perceptron, which are dropped.
        original.weights, original.arguments = {}, dict(arguments)
        returned = take(prefix)
        stack.append(original.weights)
    original.weights, original.arguments = others, arguments
    for name in stack[0]:
        parts = [weights[name] for weights in stack]
        layer, _, variable = name.rpartition("/")
        # Linear layers have an axis for the perceptrons; in other layers the
        # units of all are side by side.
        is_linear = variable == "kernel" or (
            variable == "bias" and layer != "click"
        )
        original.put(name, (np.stack if is_linear else np.concatenate)(parts))
    return returned
