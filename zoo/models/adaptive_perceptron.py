"""Builds perceptrons whose weights another perceptron makes for each row."""

from typing import Any

import keras

from zoo.checks import check_choice
from zoo.layers import AdaptiveDense
from zoo.models.batch_features import Features
from zoo.models.hidden_layers import one_each

Tensor = Any


def build_perceptron(
    x: Features,
    inputs: Tensor,
    units: tuple[int, ...],
    name: str | None,
    settings: Any,
) -> Tensor:
    """Returns a perceptron like `Features.mlp`, `(batch, units[-1])`.

    Args:
        x: `Features`.
        inputs: `(batch, width)`.
        units: integers, the width of each layer.
        name: string, as `Features.mlp` takes it.
        settings: `zoo.APG`, whose arguments say how weights are made.
    """
    prefix = f"{name}_" if name else ""
    ranks = one_each("rank", settings.rank, units)
    inner = one_each(
        "overparameterization", settings.overparameterization, units
    )
    condition = _condition(x, settings)

    def linear(hidden: Tensor, i: int, width: int) -> Tensor:
        rank = ranks[i - 1]
        if rank:
            # A larger rank would add weights, but reach no other matrices.
            rank = min(rank, width, hidden.shape[-1])
        kernel = rank * rank if rank else hidden.shape[-1] * width
        generated = _generated(
            x,
            hidden if condition is None else condition,
            kernel + width * settings.generate_bias,
            f"{prefix}hyper_{i}",
            settings,
        )
        return AdaptiveDense(
            width,
            rank,
            inner[i - 1],
            settings.generate_bias,
            name=f"{prefix}adaptive_{i}",
        )([hidden, generated])

    return x.mlp(inputs, units, name, linear=linear)


def _condition(x: Features, settings: Any) -> Tensor | None:
    """Returns the condition of all layers, `None` for the input of each."""
    names = list(settings.condition_columns)
    if not names:
        return None
    schema = x.schema
    # Sequences have no rows in a table of a few columns.
    own = [*schema.dense, *schema.categorical]
    for name in names:
        known = own if settings.condition_table else x.names
        check_choice("condition_columns", name, known)
    if settings.condition_table:
        vectors = x.selected(names, "condition_embeddings")
    else:
        vectors = x.columns(names)
    return keras.layers.Flatten()(vectors)


def _generated(
    x: Features, condition: Tensor, width: int, name: str, settings: Any
) -> Tensor:
    """Generates the weights of one layer from a condition, `(batch, width)`."""
    hidden = x.mlp(
        condition,
        settings.hyper_units,
        name,
        activation=settings.hyper_activation,
        dropout=settings.hyper_dropout,
        normalization=None,
    )
    return keras.layers.Dense(
        width, kernel_initializer="glorot_normal", name=name
    )(hidden)
