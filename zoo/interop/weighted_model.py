"""Builds models with given weights."""

from typing import Any

import keras
import numpy as np

from zoo.models.ctr_model import CTRModel


def make_network(
    cls: type[CTRModel],
    arguments: dict[str, Any],
    weights: dict[str, np.ndarray],
) -> CTRModel:
    """Builds a network of the zoo with given weights.

    Args:
        cls: class of the network.
        arguments: dict of its arguments.
        weights: dict from `"layer/variable"` to the value, such as
            `"hidden_1/kernel"`, for each weight of the network.

    Returns:
        The model, uncompiled.

    Raises:
        ValueError: if weights are missing, left over or of another shape.
    """
    model = cls(**arguments)
    variables = named_weights(model)
    missing = sorted(set(variables) - set(weights))
    left = sorted(set(weights) - set(variables))
    if missing or left:
        raise ValueError(
            f"`weights` must be the weights of `{cls.__name__}`. Received: "
            f"{left} which it has not, and not {missing} which it has"
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != weights[name].shape:
            raise ValueError(
                f"`weights` must have `{name}` of `{cls.__name__}` in shape "
                f"{tuple(variable.shape)}. Received: {weights[name].shape}"
            )
        variable.assign(weights[name])
    return model


def named_weights(model: CTRModel) -> dict[str, keras.Variable]:
    """Returns the weights of a network as `make_network` names them.

    Without the counts of ids, which files do not keep either.
    """
    named = {}
    for layer in model.layers:
        for variable in layer.weights:
            if getattr(variable, "overwrite_with_gradient", False):
                continue
            path = variable.path
            # A layer within a layer has a path of its own there.
            start = f"/{path}".find(f"/{layer.name}/")
            named[path[start:]] = variable
    return named
