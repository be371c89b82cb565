"""Builds models with given weights."""

from typing import Any

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
            `"hidden_1/kernel"`. A weight that is not in it belongs to a part
            that the original lacks, and becomes 0.

    Returns:
        The model, uncompiled.
    """
    model = cls(**arguments)
    left = dict(weights)
    for layer in model.layers:
        for variable in layer.weights:
            # `id_counts` of `CowClipEmbedding`, which are not saved.
            if getattr(variable, "overwrite_with_gradient", False):
                continue
            value = left.pop(f"{layer.name}/{variable.name}", None)
            if value is None:
                value = np.zeros(variable.shape, dtype="float32")
            variable.assign(value)
    if left:
        raise ValueError(
            f"`weights` must be weights of `{cls.__name__}`. "
            f"Received: {sorted(left)}"
        )
    return model


def hidden_weights(
    layers: list[tuple[np.ndarray, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Names the kernels and biases of a perceptron as the zoo does."""
    weights = {}
    for i, (kernel, bias) in enumerate(layers, start=1):
        weights[f"hidden_{i}/kernel"] = kernel
        weights[f"hidden_{i}/bias"] = bias
    return weights
