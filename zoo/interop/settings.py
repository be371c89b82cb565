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


def dropouts_of(
    config: Mapping[str, Any],
    name: str | None,
    layers: int,
    default: float = 0.0,
) -> list[float]:
    """Returns the rate of dropout behind each hidden layer.

    Args:
        config: mapping of the original's settings.
        name: string, that of the setting, or `None` where there is none.
        layers: integer, the number of hidden layers.
        default: float, the original's own rate. Defaults to `0.0`.
    """
    received = default if name is None else config.get(name, default)
    is_list = isinstance(received, list | tuple)
    rates: Any = received if is_list else [received] * layers
    if len(rates) != layers or not all(_is_number(rate) for rate in rates):
        raise ValueError(
            f"`config['{name}']` must be one rate, or one for each of the "
            f"{layers} layers. Received: config['{name}']={received!r}"
        )
    return [float(rate) for rate in rates]


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
