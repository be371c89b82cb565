"""Saves models as presets and loads them."""

import os
from typing import Any

import keras

from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.presets.folder import CONFIG_FILE
from zoo.presets.folder import PresetFolder
from zoo.presets.folder import write_preset
from zoo.registry import NETWORKS


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
    write_preset(model, folder, encoder, metadata, schema)


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
            a class that is not registered; if the
            weights are not those that were saved, or a newer version of this
            package wrote them.

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
