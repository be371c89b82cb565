"""Knows the originals' names of activations."""

from typing import Any

from zoo.checks import did_you_mean

# Their names in lower case, and what the zoo calls what computes the same.
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
        ValueError: if the zoo has not got it.
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


def activations_of(name: str, value: Any, layers: int) -> list[str | None]:
    """Returns the zoo's name of the activation of each hidden layer."""
    values = list(value) if isinstance(value, list | tuple) else None
    if values is None:
        return [activation_of(name, value)] * layers
    if len(values) != layers:
        raise ValueError(
            f"`config['{name}']` must be one activation, or one for each of "
            f"the {layers} layers. Received: config['{name}']={value!r}"
        )
    return [activation_of(name, each) for each in values]


def same_or_each(values: list[Any]) -> Any:
    """Returns the one value of all, or the list of them."""
    return values[0] if values and len(set(values)) == 1 else values
