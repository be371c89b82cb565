"""Checks the settings of an original network against what the zoo has."""

from collections.abc import Mapping
from numbers import Real
from typing import Any


def check_mapping(config: Any, name: str = "config") -> dict[str, Any]:
    """Returns settings as a dict, or raises a `ValueError`."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise ValueError(
            f"`{name}` must be a dict of the original's settings. "
            f"Received: {name}={config!r}"
        )
    return dict(config)


def check_setting(
    config: Mapping[str, Any], name: str, only: Any, default: Any
) -> None:
    """Raises a `ValueError` if a setting has a value that the zoo has not.

    Args:
        config: mapping of the original's settings.
        name: string, that of the setting.
        only: the value that the zoo has.
        default: the original's own, for a setting that is not in `config`.
    """
    received = config.get(name, default)
    if received != only:
        raise ValueError(
            f"`config['{name}']` must be {only!r}: the zoo's network has no "
            f"other. Received: config['{name}']={received!r}"
        )


def check_size(config: Mapping[str, Any], name: str, size: Any) -> None:
    """Raises a `ValueError` if a setting contradicts the checkpoint.

    Args:
        config: mapping of the original's settings.
        name: string, that of the setting, which may be left out.
        size: integer or list of integers, what the weights have.
    """
    received = config.get(name, size)
    if isinstance(received, tuple):
        received = list(received)
    if received != size:
        raise ValueError(
            f"`config['{name}']` must be that of the checkpoint, whose weights "
            f"have {size}. Received: config['{name}']={config[name]!r}"
        )


def one_each(
    config: Mapping[str, Any], name: str, layers: int, default: Any
) -> list[Any]:
    """Returns a setting for each layer; the config may have one for all.

    Args:
        config: mapping of the original's settings.
        name: string, that of the setting.
        layers: integer, the number of layers.
        default: the original's own, for a setting that is not in `config`.

    Raises:
        ValueError: for a list of another length.
    """
    received = config.get(name, default)
    if not isinstance(received, list | tuple):
        return [received] * layers
    if len(received) != layers:
        raise ValueError(
            f"`config['{name}']` must be one value, or one for each of the "
            f"{layers} layers. Received: config['{name}']={received!r}"
        )
    return list(received)


def dropouts_of(
    config: Mapping[str, Any], name: str, layers: int, default: float = 0.0
) -> list[float]:
    """Returns the rate of dropout behind each hidden layer; see `one_each`."""
    rates = one_each(config, name, layers, default)
    for rate in rates:
        if not isinstance(rate, Real) or isinstance(rate, bool):
            raise ValueError(
                f"`config['{name}']` must be a rate of dropout, or a list of "
                f"rates. Received: config['{name}']={config[name]!r}"
            )
    return [float(rate) for rate in rates]


def same_or_each(values: list[Any], default: Any) -> Any:
    """Returns the one value of all layers, or the list of them.

    Args:
        values: list, one for each layer.
        default: what is returned where there are no layers.
    """
    if not values:
        return default
    return values[0] if len(set(values)) == 1 else values


def hidden_arguments(
    activations: list[str | None], normed: Any, dropouts: list[float]
) -> dict[str, Any]:
    """Returns what `zoo.CTRModel` takes for hidden layers.

    Args:
        activations: list, the zoo's name of that of each layer.
        normed: whether there is a batch normalization before each activation.
        dropouts: list of floats, the rate behind each layer.
    """
    return {
        "activation": same_or_each(activations, "relu"),
        "normalization": "batch" if normed else None,
        "dropout": same_or_each(dropouts, 0.0),
    }
