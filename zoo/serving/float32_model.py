"""Loads or copies the model that an export may change."""

import os
from typing import Any

import keras

from zoo.checks import check_instance
from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.models.ctr_model import CTRModel
from zoo.models.fit_check import check_fits
from zoo.presets.folder import PresetFolder
from zoo.presets.own_network import config_of
from zoo.presets.own_network import restored_model
from zoo.presets.own_network import schema_of
from zoo.presets.save_and_load import load_model
from zoo.presets.source import check_nothing_to_fetch
from zoo.serving.column_check import check_same_columns


def load_in_float32(
    preset: str | os.PathLike,
    schema: FeatureSchema | None,
    needs_encoder: bool,
    **hub: Any,
) -> tuple[keras.Model, FeatureSchema, ClickEncoder | None]:
    """Returns the model of a preset, its schema, and its encoder if needed.

    Args:
        preset, schema: as `zoo.export` takes them.
        needs_encoder: boolean.
        **hub: as `zoo.from_preset` takes them.

    Raises:
        ValueError: for a schema beside a preset, or an encoder of another
            model.
        FileNotFoundError: if the preset or one of its files is missing.
    """
    if schema is not None:
        raise ValueError(
            "`schema` must be left out where a preset has its own. "
            f"Received: schema={schema}, preset={preset}"
        )
    opened = PresetFolder.open(preset, encoder=needs_encoder, **hub)
    encoder = None
    if needs_encoder:
        encoder = opened.load_encoder()
        check_same_columns(opened.schema, encoder.schema)
    return load_model(opened, dtype="float32"), opened.schema, encoder


def copy_in_float32(
    model: keras.Model, schema: FeatureSchema | None, **hub: Any
) -> tuple[keras.Model, FeatureSchema]:
    """Returns a copy of a model, and its schema.

    Args:
        model: `keras.Model`.
        schema: as `zoo.export` takes it.
        **hub: nothing, because a model is not fetched.

    Raises:
        ValueError: for a model that does not fit the schema, or that can't be
            copied.
    """
    check_nothing_to_fetch(hub)
    if schema is None:
        schema = schema_of(model, None)
    check_instance("schema", schema, FeatureSchema)
    if not isinstance(model, CTRModel):
        check_fits(model, schema)
    copied = restored_model(config_of(model), schema, "`preset`", "float32")
    copied.set_weights(model.get_weights())
    return copied, schema
