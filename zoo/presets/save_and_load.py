"""Saves models as presets and loads them."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

import keras_cowclip
from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.files.partial_output import partial_folder
from zoo.files.sha256 import checksum
from zoo.presets.folder import CONFIG_FILE
from zoo.presets.folder import ENCODER_FOLDER
from zoo.presets.folder import FORMAT_VERSION
from zoo.presets.folder import METADATA_FILE
from zoo.presets.folder import SCHEMA_KEY
from zoo.presets.folder import WEIGHTS_FILE
from zoo.presets.folder import PresetFolder
from zoo.presets.own_network import check_restorable
from zoo.presets.own_network import config_of
from zoo.presets.own_network import schema_of
from zoo.registry import NETWORKS
from zoo.registry import is_network


def save_to_preset(
    model: keras.Model,
    folder: str | os.PathLike,
    encoder: ClickEncoder | None = None,
    metadata: dict[str, Any] | None = None,
    schema: FeatureSchema | None = None,
) -> None:
    """Saves a model so that `from_preset` gives it back on any backend.

    Args:
        model: `keras.Model`, of the zoo or yours.
        folder: path; made if absent. Gets `config.json`, `model.weights.h5`,
            `metadata.json` and, if given, `encoder/`, once all of them are
            written; those of an earlier preset are replaced, and other files,
            such as its card, are kept.
        encoder: the `ClickEncoder` whose ids the model was trained on. Must
            be given where the folder has one.
        metadata: dict put into `metadata.json`, such as metrics and data set.
        schema: `zoo.FeatureSchema` that a model of yours was made for.
            Defaults to `None`, that of the model or of `encoder`.

    Raises:
        ValueError: if `folder` has an encoder, and there is none to replace
            it; if layers were quantized or given LoRA; or if a model of yours
            has no schema, or could not be loaded again: see
            `zoo.from_preset`.
        TypeError: if `metadata` is no JSON. An earlier preset stays.

    Example:

    ```python
    model = zoo.DeepFM(zoo.FeatureSchema(["price"], {"site": 1000}))
    zoo.save_to_preset(model, "presets/deepfm")
    model = zoo.from_preset("presets/deepfm")
    ```
    """
    folder = Path(folder)
    _check_unchanged(model)
    if not is_network(model):
        if schema is None:
            schema = schema_of(model, encoder)
        check_restorable(model, schema)
    old_encoder = folder / ENCODER_FOLDER
    if encoder is None and old_encoder.exists():
        raise ValueError(
            "`encoder` must be given where the folder has that of an earlier "
            "preset, which may give this model's rows wrong ids: pass it, "
            f"`zoo.ClickEncoder.load({str(old_encoder)!r})`, if it is this "
            f"model's too, else remove it. Received: folder={folder}"
        )
    with partial_folder(folder, "preset") as partial:
        whole = partial / "whole"
        whole.mkdir()
        write_preset_files(model, whole, encoder, metadata, schema)
        if old_encoder.exists():
            old_encoder.rename(partial / "old_encoder")
        for path in whole.iterdir():
            path.replace(folder / path.name)


def write_preset_files(
    model: keras.Model,
    folder: Path,
    encoder: ClickEncoder | None,
    metadata: dict[str, Any] | None,
    schema: FeatureSchema | None = None,
) -> None:
    """Writes the files of a preset into a folder that no one reads yet.

    Args:
        model, encoder, metadata: as `save_to_preset` takes them.
        folder: path. The caller moves it into place.
        schema: `FeatureSchema` of a model of a user's. The config of a network
            of the zoo has its own. Defaults to `None`.
    """
    config = config_of(model)
    if not is_network(model) and schema is not None:
        config[SCHEMA_KEY] = schema.get_config()
    _write_json(folder / CONFIG_FILE, config)
    with without_optimizer(model):
        model.save_weights(folder / WEIGHTS_FILE)
    if encoder is not None:
        encoder.save(folder / ENCODER_FOLDER)
    _write_json(
        folder / METADATA_FILE,
        {
            **(metadata or {}),
            "format_version": FORMAT_VERSION,
            "keras_version": keras.__version__,
            "keras_cowclip_version": keras_cowclip.__version__,
            "parameter_count": model.count_params(),
            "weights_sha256": checksum(folder / WEIGHTS_FILE),
        },
    )


@contextlib.contextmanager
def without_optimizer(model: keras.Model) -> Iterator[None]:
    """Keeps an optimizer's moments, twice the model's size, out of a file.

    Args:
        model: `keras.Model` whose weights are saved or loaded in the block.
    """
    optimizer = getattr(model, "optimizer", None)
    model.optimizer = None
    try:
        yield
    finally:
        model.optimizer = optimizer


def _check_unchanged(model: keras.Model) -> None:
    """Raises for quantized layers and LoRA, which no config holds."""
    for layer in model._flatten_layers(include_self=False):
        for change in ("quantization_mode", "lora_enabled"):
            if getattr(layer, change, None):
                raise ValueError(
                    "`model` must be as its config makes it, without quantized "
                    "layers or LoRA: a preset could not be loaded. Save it "
                    "before, and change the loaded model again. Received: "
                    f"layer '{layer.name}' with "
                    f"{change}={getattr(layer, change)!r}"
                )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def from_preset(
    preset: str | os.PathLike,
    load_weights: bool = True,
    dtype: str | keras.DTypePolicy | None = None,
    **hub: Any,
) -> Any:
    """Loads a model of whichever network a preset holds.

    Nothing that a preset holds is run: its config may only name the networks
    of the zoo, layers of Keras without code of their own, and classes that you
    registered before (`keras.saving.register_keras_serializable`). Keras' safe
    mode stays on.

    Args:
        preset: name of a built-in preset (`zoo.built_in_presets()`), path of
            a folder that `save_to_preset` or `python -m zoo train` wrote, or
            `"hf://user/repository"`, with `"@revision"` behind it or without.
        load_weights: boolean. `False` leaves them as the network draws them.
            Defaults to `True`.
        dtype: string or `keras.DTypePolicy`, instead of the one that was
            saved; a model of yours gives it to every layer. Defaults to
            `None`.
        **hub: `revision`, `token` and `cache_dir`, for a preset on the Hub:
            a branch, tag or commit; an access token, where not the one that
            you are logged in with; a cache, where not that of
            `huggingface_hub`. Without a connection, or with `HF_HUB_OFFLINE`,
            the cache is used alone.

    Returns:
        The model, uncompiled.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        ValueError: if the config is not that of a model of the zoo, or names
            a class that is not registered; if the weights are not those that
            were saved, or a newer version of this package wrote them.

    Example:

    ```python
    model = zoo.from_preset("runs/deepfm")
    ```
    """
    opened = PresetFolder.open(preset, weights=load_weights, **hub)
    return load_model(opened, load_weights, dtype)


def load_model(
    opened: PresetFolder, load_weights: bool = True, dtype: Any = None
) -> Any:
    """Loads the model of an open preset; see `from_preset`."""
    if opened.is_of_a_user:
        return opened.make_own_model(load_weights, dtype)
    classes = {
        keras.saving.get_registered_name(cls): cls for cls in NETWORKS.values()
    }
    if opened.registered_name not in classes:
        raise ValueError(
            f"{opened.folder / CONFIG_FILE}: `registered_name` must be one of "
            f"{list(classes)}; register a network of yours by "
            "`zoo.register_network` before you load it. "
            f"Received: {opened.registered_name}"
        )
    cls = classes[opened.registered_name]
    return opened.make_model(cls, load_weights, dtype)
