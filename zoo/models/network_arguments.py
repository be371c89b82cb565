"""Checks the arguments that all networks share."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo.checks import check_choice
from zoo.checks import check_instance
from zoo.checks import check_not_negative
from zoo.checks import check_number
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.checks import check_rate
from zoo.feature_schema import FeatureSchema
from zoo.layers.activation import check_activation

DENSE_FORMS = ("concat", "embed")
NORMALIZATIONS = (None, "batch", "layer")
LINEAR_POOLINGS = ("mean", "sum")


def check_arguments(
    schema: FeatureSchema,
    *,
    dtype: Any,
    linear_l2: float,
    dense: str,
    activation: Any,
    normalization: str | None,
    field_order: Any,
    linear_pooling: str,
    **settings: Any,
) -> None:
    """Raises a `ValueError` that names the first argument out of its range.

    Args:
        schema, dtype, linear_l2, dense, activation, normalization,
        field_order, linear_pooling: as `CTRModel` takes them.
        **settings: what `check_settings` takes.
    """
    check_instance("schema", schema, FeatureSchema)
    check_not_negative("linear_l2", linear_l2)
    check_dtype(dtype)
    check_settings(**settings)
    check_choice("dense", dense, DENSE_FORMS)
    check_choice("normalization", normalization, NORMALIZATIONS)
    check_activations("activation", activation, settings["hidden_units"])
    check_choice("linear_pooling", linear_pooling, LINEAR_POOLINGS)
    if field_order is not None:
        _check_order(field_order, schema, dense)


def check_activations(
    name: str, activation: Any, units: tuple[int, ...]
) -> None:
    """Raises a `ValueError` unless hidden layers can have the activation.

    Args:
        name: string, that of the argument.
        activation: a name, or a list of one for each layer.
        units: integers, the widths of the layers.
    """
    if not isinstance(activation, list | tuple):
        check_activation(name, activation)
        return
    if len(activation) != len(units):
        raise ValueError(
            f"`{name}` must be one name, or one for each of the {len(units)} "
            f"layers. Received: {name}={activation!r}"
        )
    for each in activation:
        check_activation(name, each)


def _check_order(field_order: Any, schema: FeatureSchema, dense: str) -> None:
    names = [*schema.categorical, *schema.sequences]
    if dense == "embed":
        names = [*schema.dense, *names]
    is_list = isinstance(field_order, list | tuple)
    if not is_list or sorted(map(str, field_order)) != sorted(names):
        raise ValueError(
            "`field_order` must have each field once, sequences and embedded "
            f"numeric columns too: {names} in any order. "
            f"Received: field_order={field_order!r}"
        )


def check_settings(
    *,
    embedding_dim: int,
    hidden_units: tuple[int, ...],
    dropout: float,
    embedding_deviation: float,
) -> None:
    """Raises a `ValueError` unless a network can have these arguments."""
    check_positive_integer("embedding_dim", embedding_dim)
    check_positive_integers("hidden_units", hidden_units)
    check_dropout("dropout", dropout, len(hidden_units))
    check_number(
        "embedding_deviation",
        embedding_deviation,
        "that is positive and finite",
        lambda x: 0 < x < math.inf,
    )


def check_dropout(name: str, dropout: Any, layers: int) -> None:
    """Raises a `ValueError` unless hidden layers can have the dropout.

    Args:
        name: string, that of the argument.
        dropout: a rate, or a list of one for each layer.
        layers: integer, the number of hidden layers.
    """
    rates = dropout if isinstance(dropout, list | tuple) else [dropout] * layers
    if len(rates) != layers:
        raise ValueError(
            f"`{name}` must be a number, or one for each of the {layers} "
            f"hidden layers. Received: {name}={dropout!r}"
        )
    for rate in [*rates] or [dropout]:
        check_rate(name, rate)


def check_one_for_all(model: Any, *names: str) -> None:
    """Raises a `ValueError` for a setting of each hidden layer.

    Args:
        model: `CTRModel` whose layers are not those of `hidden_units` alone.
        *names: strings, the settings.
    """
    for name in names:
        value = getattr(model, name)
        if isinstance(value, tuple):
            raise ValueError(
                f"`{name}` of `{type(model).__name__}` must be one for all of "
                f"its layers. Received: {name}={value!r}"
            )


def check_dtype(dtype: Any) -> None:
    """Raises a `ValueError` unless Keras knows the dtype policy."""
    if dtype is None:
        return
    try:
        keras.dtype_policies.get(dtype)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "`dtype` must be a dtype policy of Keras, such as "
            f"'mixed_bfloat16'. Received: dtype={dtype!r}"
        ) from error


def check_no_numpy_integers(arguments: Mapping[str, Any]) -> None:
    """Raises a `ValueError` for an integer that Keras' layers refuse."""
    for name, value in arguments.items():
        for size in value if isinstance(value, tuple | list) else (value,):
            if isinstance(size, np.integer):
                raise ValueError(
                    f"`{name}` must be made of `int`, for Keras' layers refuse "
                    f"integers of NumPy. Received: {name}={value!r}"
                )
