"""Builds several perceptrons of the same widths as one: experts and towers.

Their outputs are `(batch, perceptrons, width)`, without a loop over them.
"""

from typing import Any

import keras
from keras import ops

from zoo.layers import StackedDense
from zoo.layers.activation import activation_layer
from zoo.layers.activation import has_weights
from zoo.models.hidden_layers import normalization_layer
from zoo.models.hidden_layers import one_each

Tensor = Any


def stacked_mlp(
    model: Any, inputs: Tensor, stack: int, units: tuple[int, ...], name: str
) -> Tensor:
    """Returns perceptrons like `Features.mlp`, `(batch, stack, units[-1])`.

    Args:
        model: `CTRModel`, whose activation, normalization and dropout they
            have.
        inputs: `(batch, width)` for all, or `(batch, stack, width)`.
        stack: integer, their number.
        units: integers, the width of each layer.
        name: string, of the layers: `<name>_hidden_1` and so on.
    """
    activations, rates = (
        one_each(setting, getattr(model, setting), units)
        for setting in ("activation", "dropout")
    )
    x = inputs
    for i, width in enumerate(units, start=1):
        layer = f"{name}_{{}}_{i}"
        x = StackedDense(stack, width, name=layer.format("hidden"))(x)
        if model.normalization is not None:
            x = stacked_norm(x, model.normalization, layer.format("norm"))
        if activations[i - 1] is not None:
            activation = activation_layer(
                activations[i - 1], layer.format("activation")
            )
            # Each unit of each perceptron has weights of its own.
            if has_weights(activations[i - 1]):
                x = _flat(activation, x)
            else:
                x = activation(x)
        if rates[i - 1]:
            x = keras.layers.Dropout(
                rates[i - 1], name=layer.format("dropout")
            )(x)
    return x


def stacked_norm(x: Tensor, kind: str, name: str) -> Tensor:
    """Returns a normalization of each perceptron's layer.

    Args:
        x: `(batch, stack, width)`.
        kind: string, `"batch"` or `"layer"`.
        name: string, the layer's name.
    """
    if kind == "batch":
        return _flat(normalization_layer(kind, name), x)
    # A layer normalization of each: the groups are the perceptrons.
    norm = keras.layers.GroupNormalization(
        groups=x.shape[1], epsilon=1e-5, name=name
    )
    return _flat(norm, x)


def stacked_gates(
    model: Any,
    inputs: Tensor,
    stack: int,
    choices: int,
    name: str,
    *,
    units: tuple[int, ...] = (),
    use_bias: bool = True,
    normalization: str | None = None,
) -> Tensor:
    """Returns what gates weigh experts by, `(batch, stack, choices)`.

    Each gate is the softmax of a perceptron.

    Args:
        model: `CTRModel`, whose activation, normalization and dropout the
            hidden layers have.
        inputs: `(batch, width)` for all, or `(batch, stack, width)`.
        stack: integer, the number of gates.
        choices: integer, the number of experts of each.
        name: string, the name of the last layer, with which those of others
            begin.
        units: integers, the hidden layers of each gate. Defaults to `()`.
        use_bias: boolean, whether the scores have biases. Defaults to `True`.
        normalization: `"batch"`, `"layer"` or `None`, that of the scores.
            Defaults to `None`.
    """
    hidden = stacked_mlp(model, inputs, stack, units, name)
    scores = StackedDense(stack, choices, use_bias=use_bias, name=name)(hidden)
    if normalization is not None:
        scores = stacked_norm(scores, normalization, f"{name}_norm")
    return ops.softmax(scores, axis=-1)


def label_experts(
    model: Any, own: Tensor, shared: Tensor, name: str
) -> tuple[Tensor, Tensor]:
    """Returns what experts of each label, and shared ones, make of vectors.

    Args:
        model: `CTRModel` with `num_specific_experts` and `num_shared_experts`.
        own: `(batch, labels, width)`, the input of each label's experts, or
            `(batch, width)` for all of them.
        shared: `(batch, width)`, that of the shared ones.
        name: string, with which the names of the layers begin.

    Returns:
        `(batch, labels, num_specific_experts, units)` and
        `(batch, num_shared_experts, units)`.
    """
    labels, several = len(model.schema.labels), model.num_specific_experts
    units = model.hidden_units
    if len(own.shape) == 3 and several > 1:
        own = ops.repeat(own, several, axis=1)
    of_labels = stacked_mlp(
        model, own, labels * several, units, f"{name}_specific"
    )
    of_labels = ops.reshape(
        of_labels, (-1, labels, several, of_labels.shape[-1])
    )
    number = model.num_shared_experts
    return of_labels, stacked_mlp(
        model, shared, number, units, f"{name}_shared"
    )


def label_logits(model: Any, inputs: Tensor) -> Tensor:
    """Returns a tower for each label, `(batch, labels)`.

    Args:
        model: `CTRModel` with `tower_units`.
        inputs: `(batch, width)` for all, or `(batch, labels, width)`.
    """
    labels = len(model.schema.labels)
    hidden = stacked_mlp(model, inputs, labels, model.tower_units, "towers")
    return stacked_outputs(hidden, labels)


def stacked_outputs(hidden: Tensor, labels: int) -> Tensor:
    """Returns a linear output for each label, `(batch, labels)`.

    Args:
        hidden: `(batch, width)` for all, or `(batch, labels, width)`.
        labels: integer, their number.
    """
    # The model adds a bias for each.
    logits = StackedDense(labels, 1, use_bias=False, name="logits")(hidden)
    return ops.squeeze(logits, axis=-1)


def _flat(layer: keras.layers.Layer, x: Tensor) -> Tensor:
    """Applies a layer as if all perceptrons were one wide layer."""
    _, stack, width = x.shape
    flat = layer(keras.layers.Reshape((stack * width,))(x))
    return keras.layers.Reshape((stack, width))(flat)
