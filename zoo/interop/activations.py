"""Translates the originals' names of activations."""

from collections.abc import Mapping
from typing import Any

from zoo.checks import did_you_mean
from zoo.interop.settings import one_each

# The originals' names in lower case, and the zoo's for the same function.
ACTIVATIONS = {
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softmax": "softmax",
    "prelu": "prelu",
    "dice": "dice",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
    "softsign": "softsign",
    "identity": None,
    "linear": None,
}


def activation_of(name: str, value: Any) -> str | None:
    """Returns the zoo's name of an activation.

    Args:
        name: string, the setting.
        value: what the original's `config` has there.

    Raises:
        ValueError: if the zoo does not have it.
    """
    if value is None:
        return None
    if not isinstance(value, str) or value.lower() not in ACTIVATIONS:
        raise ValueError(
            f"`config['{name}']` must be one of the activations that the zoo "
            f"has, {list(ACTIVATIONS)}. {did_you_mean(value, ACTIVATIONS)}"
            f"Received: config['{name}']={value!r}"
        )
    return ACTIVATIONS[value.lower()]


def activations_of(
    config: Mapping[str, Any], name: str, layers: int, default: Any = "ReLU"
) -> list[str | None]:
    """Returns the zoo's name of each hidden layer's activation.

    See `one_each`.
    """
    values = one_each(config, name, layers, default)
    return [activation_of(name, value) for value in values]
