"""Builds gates, by which chosen columns scale hidden layers."""

from typing import Any

import keras

from zoo.checks import check_choice
from zoo.models.batch_features import Features

Tensor = Any


def gate(z: Tensor, width: int, units: int | None, name: str) -> Tensor:
    """Returns `2 sigmoid(relu(z U + c) V + d)`, `(batch, width)`.

    Args:
        z: `(batch, inputs)`.
        width: integer, that of what is multiplied.
        units: integer, the width of `U`, or `None` for `width`.
        name: string with `{}` for what a layer is: `"gate{}_1"` gives
            `gate_hidden_1` and `gate_1`.
    """
    inner = _linear(units or width, name.format("_hidden"), "relu")(z)
    return 2 * _linear(width, name.format(""), "sigmoid")(inner)


def gated_mlp(
    x: Features,
    inputs: Tensor,
    z: Tensor,
    units: tuple[int, ...],
    gate_units: int | None,
    name: str | None = None,
) -> Tensor:
    """Returns a perceptron with a gate behind each layer.

    Args:
        x: `Features`.
        inputs: `(batch, width)`.
        z: what the gates are made of, `(batch, width)`.
        units: integers, the width of each layer.
        gate_units: integer or `None`, as `gate` takes `units`.
        name: string, as `Features.mlp` takes it.
    """
    prefix = f"{name}_" if name else ""

    def gated(hidden: Tensor, i: int) -> Tensor:
        width = hidden.shape[-1]
        return hidden * gate(z, width, gate_units, f"{prefix}gate{{}}_{i}")

    def linear(hidden: Tensor, i: int, width: int) -> Tensor:
        if i > 1:
            hidden = gated(hidden, i - 1)
        return _linear(width, f"{prefix}hidden_{i}", None)(hidden)

    hidden = x.mlp(inputs, units, name, linear=linear)
    return gated(hidden, len(units)) if units else hidden


def priors(
    x: Features, argument: str, names: tuple[str, ...], dim: int
) -> Tensor:
    """Returns columns of a table of their own, side by side.

    Args:
        x: `Features`.
        argument: string, what the network calls `names`.
        names: of fields and numeric columns; if there are none, all that have
            an embedding.
        dim: integer, the length of the vectors.
    """
    schema = x.schema
    for name in names:
        check_choice(argument, name, [*schema.dense, *schema.categorical])
    chosen = names or [name for name in x.names if name not in schema.sequences]
    vectors = x.selected(list(chosen), "gate_embeddings", dim)
    return keras.layers.Flatten(name="priors")(vectors)


def _linear(
    units: int, name: str, activation: str | None
) -> keras.layers.Layer:
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_normal",
        name=name,
    )
