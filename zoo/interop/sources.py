"""Registers how each original network becomes one of the zoo."""

from collections.abc import Callable
from typing import Any

from zoo.models.ctr_model import CTRModel

NetworkMapping = Callable[[Any], type[CTRModel]]

FUXICTR: dict[str, NetworkMapping] = {}
DEEPCTR_TORCH: dict[str, NetworkMapping] = {}
DEEPCTR_TORCH_SETTINGS: dict[str, set[str]] = {}
"""The arguments that only this network of DeepCTR-Torch has."""


def fuxictr(*names: str) -> Callable[[NetworkMapping], NetworkMapping]:
    """Registers how FuxiCTR's networks of these names become the zoo's."""

    def register(mapping: NetworkMapping) -> NetworkMapping:
        FUXICTR.update(dict.fromkeys(names, mapping))
        return mapping

    return register


def deepctr_torch(
    name: str, *settings: str
) -> Callable[[NetworkMapping], NetworkMapping]:
    """Registers how a network of DeepCTR-Torch becomes the zoo's.

    Args:
        name: string, its class there.
        *settings: the arguments that only this class has and that matter to
            what it computes.
    """

    def register(mapping: NetworkMapping) -> NetworkMapping:
        DEEPCTR_TORCH[name] = mapping
        DEEPCTR_TORCH_SETTINGS[name] = set(settings)
        return mapping

    return register
