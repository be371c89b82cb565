"""Makes the network that a run begins with, new or from a preset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import TypeAlias

import keras

from zoo.checks import check_instance
from zoo.data.encoded_log import EncodedLog
from zoo.devices import Devices
from zoo.evaluation.evaluation import check_same_schema
from zoo.feature_schema import FeatureSchema
from zoo.models import grow
from zoo.models.ctr_model import CTRModel
from zoo.models.fit_check import check_fits
from zoo.models.fit_check import warn_of_unclipped_tables
from zoo.presets.folder import PresetFolder
from zoo.presets.own_network import check_restorable
from zoo.presets.save_and_load import load_model
from zoo.registry import is_network
from zoo.training.own_recipe import SETTINGS_OF_A_NETWORK
from zoo.training.recipe import Recipe

OwnNetwork: TypeAlias = keras.Model | Callable[[FeatureSchema], keras.Model]


def make_first_network(
    recipe: Recipe,
    log: EncodedLog,
    initial_model: str | Path | None,
    own: OwnNetwork | None,
) -> keras.Model:
    """Builds a recipe's network, or loads a preset whose tables grow.

    Args:
        recipe, log, initial_model: of the run.
        own: `keras.Model` of the caller, or a function that makes one of a
            schema, or `None`.

    Raises:
        ValueError: for a preset or a model that does not fit the log.
    """
    if own is not None:
        return _checked(own, log.schema)
    if initial_model is None:
        return recipe.make_network(log.schema)
    return _load_grown(initial_model, log, recipe.dtype)


def check_own_network(
    own: OwnNetwork,
    initial_model: str | Path | None,
    recipe: dict[str, Any],
    devices: Devices,
) -> None:
    """Raises a `ValueError` for arguments that do not fit a caller's model.

    Args:
        own, initial_model, recipe, devices: as `zoo.train` gets them.
    """
    if not isinstance(own, keras.Model) and not callable(own):
        raise ValueError(
            "`model` must be the name of a network, a `keras.Model`, or a "
            "function that makes one of a `zoo.FeatureSchema`. "
            f"Received: model={own!r}"
        )
    if initial_model is not None:
        raise ValueError(
            "`initial_model` must be left out beside a model of yours, which "
            "has its weights already: `model=zoo.from_preset(...)` trains a "
            f"preset on. Received: initial_model={initial_model}"
        )
    of_a_name = [name for name in recipe if name in SETTINGS_OF_A_NETWORK]
    if of_a_name:
        raise ValueError(
            f"`{of_a_name[0]}` must be left out beside a model of yours, which "
            "is trained as it is. "
            f"Received: {of_a_name[0]}={recipe[of_a_name[0]]!r}"
        )
    if isinstance(own, keras.Model) and devices.count > 1:
        raise ValueError(
            "`model` must be a function that makes it of a "
            "`zoo.FeatureSchema` where several devices train, for each gets "
            "the weights as they are made. "
            f"Received: a `{type(own).__name__}` and {devices.count} devices"
        )


def _checked(own: OwnNetwork, schema: FeatureSchema) -> keras.Model:
    network = own if isinstance(own, keras.Model) else own(schema)
    check_instance("model", network, keras.Model)
    if isinstance(network, CTRModel):
        check_same_schema(network, schema)
    else:
        check_fits(network, schema)
        warn_of_unclipped_tables(network)
    if not is_network(network):
        # Now, and not after hours, when the preset is written.
        check_restorable(network, schema)
    return network


def _load_grown(
    preset: str | Path, log: EncodedLog, dtype: str | None = None
) -> keras.Model:
    opened = PresetFolder.open(preset, encoder=True)
    network = load_model(opened, dtype=dtype)
    if not opened.has_ids_of(log.encoder):
        settings = opened.load_encoder().settings
        grow_option = "" if settings.num_buckets else " --grow"
        raise ValueError(
            "`initial_model` must know the ids of the log: encode the log "
            f"with `python -m zoo prepare --encoder {opened.encoder_folder}"
            f"{grow_option}`. Received: initial_model={preset}, "
            f"log={log.source}"
        )
    if opened.is_of_a_user and opened.schema == log.schema:
        return network
    return grow(network, log.schema)
