"""Builds the layers of a perceptron."""

from typing import Any

import keras

from zoo.layers.activation import activation_layer
from zoo.layers.activation import has_weights

Tensor = Any


def hidden_layer(
    x: Tensor,
    units: int,
    name: str,
    use_bias: bool,
    activation: str | None,
    normalization: str | None,
    dropout: float,
) -> Tensor:
    """Returns `dropout(activation(normalization(x W + b)))`.

    Args:
        x: `(batch, ...)`.
        units: integer, the width.
        name: string with `{}` for what a layer is: `"{}_1"` gives `hidden_1`,
            `norm_1`, `activation_1` and `dropout_1`.
        use_bias, activation, normalization, dropout: as `Features.mlp` has
            them.
    """
    # Keras fuses no activation that has weights or a layer before it.
    fused = normalization is None and not has_weights(activation)
    x = keras.layers.Dense(
        units,
        activation=activation if fused else None,
        use_bias=use_bias,
        kernel_initializer="glorot_normal",
        name=name.format("hidden"),
    )(x)
    if fused:
        activation = None
    return after_linear(x, name, activation, normalization, dropout)


def after_linear(
    x: Tensor,
    name: str,
    activation: str | None,
    normalization: str | None,
    dropout: float,
) -> Tensor:
    """Returns `dropout(activation(normalization(x)))`; see `hidden_layer`."""
    if normalization is not None:
        x = normalization_layer(normalization, name.format("norm"))(x)
    if activation is not None:
        x = activation_layer(activation, name.format("activation"))(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name=name.format("dropout"))(x)
    return x


def normalization_layer(kind: str, name: str) -> keras.layers.Layer:
    """Returns a normalization with PyTorch's constants.

    Args:
        kind: string, `"batch"` or `"layer"`.
        name: string, the layer's name.
    """
    if kind == "batch":
        return keras.layers.BatchNormalization(
            epsilon=1e-5, momentum=0.9, name=name
        )
    return keras.layers.LayerNormalization(epsilon=1e-5, name=name)


def one_each(name: str, value: Any, units: tuple[int, ...]) -> list[Any]:
    """Returns a setting for each layer of a perceptron.

    Args:
        name: string, the setting.
        value: one for all layers, or a list of one for each.
        units: integers, the widths of the layers.

    Raises:
        ValueError: for a list of another length.
    """
    if not isinstance(value, list | tuple):
        return [value] * len(units)
    if len(value) != len(units):
        raise ValueError(
            f"`{name}` must be one for all layers, or one for each of the "
            f"{len(units)} that are {tuple(units)} wide. "
            f"Received: {name}={value!r}"
        )
    return list(value)
