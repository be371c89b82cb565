"""Trained models as folders: config, weights, schema and encoder together."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import keras

import keras_cowclip
from zoo.encoding import ClickEncoder
from zoo.features import FeatureSchema
from zoo.models import MODELS
from zoo.models.ctr_model import CTRModel
from zoo.preset_source import preset_folder

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
METADATA_FILE = "metadata.json"
ENCODER_FOLDER = "encoder"
# Rises when an earlier version could no longer read what is written.
FORMAT_VERSION = 1


def save_to_preset(
    model: CTRModel,
    folder: str | Path,
    encoder: ClickEncoder | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Saves a model so that `from_preset` gives it back on any backend.

    Args:
        model: a model of the zoo.
        folder: path; made if absent. Holds `config.json`, `model.weights.h5`,
            `metadata.json` and, if given, `encoder/`.
        encoder: the `ClickEncoder` whose ids the model was trained on.
        metadata: dict put into `metadata.json`, such as metrics and data set.

    Example:

    ```python
    zoo.save_to_preset(model, "presets/deepfm")
    model = zoo.from_preset("presets/deepfm")
    ```
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = keras.saving.serialize_keras_object(model)
    for key in ("compile_config", "build_config"):
        config.pop(key, None)
    _write_json(folder / CONFIG_FILE, config)
    # Keras would save the optimizer's moments along: twice the model again.
    optimizer = getattr(model, "optimizer", None)
    model.optimizer = None
    try:
        model.save_weights(folder / WEIGHTS_FILE)
    finally:
        model.optimizer = optimizer
    _write_json(
        folder / METADATA_FILE,
        {
            **(metadata or {}),
            "format_version": FORMAT_VERSION,
            "keras_version": keras.__version__,
            "keras_cowclip_version": keras_cowclip.__version__,
            "parameter_count": model.count_params(),
            "weights_sha256": _sha256(folder / WEIGHTS_FILE),
        },
    )
    if encoder is not None:
        encoder.save(folder / ENCODER_FOLDER)


def from_preset(
    preset: str | os.PathLike,
    load_weights: bool = True,
    dtype: str | keras.DTypePolicy | None = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> CTRModel:
    """Loads a model that `save_to_preset` or `python -m zoo train` wrote.

    Nothing that a preset holds is run: its config may only name the networks
    of the zoo and Keras' own dtype policies.

    Args:
        preset: path of the folder, or `"hf://user/repository"`.
        load_weights: boolean. `False` leaves them as the network draws them.
            Defaults to `True`.
        dtype: string or `keras.DTypePolicy`, instead of the one that was
            saved. Defaults to `None`.
        revision, token, cache_dir: of the Hub; see
            `zoo.preset_source.preset_folder`.

    Returns:
        The model, uncompiled.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        ValueError: if the config is not that of a model of the zoo, the
            weights are not those that were saved, or a newer version of this
            package wrote them.

    Example:

    ```python
    model = zoo.from_preset("runs/deepfm")
    ```
    """
    needed = (CONFIG_FILE, *([WEIGHTS_FILE] if load_weights else []))
    folder = preset_folder(
        preset,
        (*needed, METADATA_FILE),
        revision=revision,
        token=token,
        cache_dir=cache_dir,
    )
    for name in needed:
        if not (folder / name).is_file():
            raise FileNotFoundError(
                "A saved model is a folder written by `python -m zoo train` "
                f"or `save_to_preset`; it lacks {name}. Received: {preset}"
            )
    # Folders of the first versions have no format version and no checksum.
    metadata = {}
    if (folder / METADATA_FILE).is_file():
        metadata = _read_json(folder / METADATA_FILE)
    _check_format_version(folder, metadata)
    model = _make_model(folder / CONFIG_FILE, dtype)
    if load_weights:
        _check_weights(folder / WEIGHTS_FILE, metadata)
        model.load_weights(folder / WEIGHTS_FILE)
    return model


def _make_model(path: Path, dtype: Any) -> CTRModel:
    config = _read_json(path)
    classes = {
        keras.saving.get_registered_name(cls): cls for cls in MODELS.values()
    }
    cls = classes.get(config.get("registered_name"))
    if cls is None:
        raise ValueError(
            f"{path}: `registered_name` must be one of {list(classes)}. "
            f"Received: {config.get('registered_name')}"
        )
    try:
        arguments = dict(config["config"])
        # Built by hand, for Keras would import whatever module a config names.
        arguments["schema"] = FeatureSchema(**arguments["schema"]["config"])
        saved_policy = arguments.pop("dtype")
        if dtype is None and saved_policy is not None:
            dtype = saved_policy["config"]["name"]
        return cls(**arguments, dtype=dtype)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: must hold the arguments of `{cls.__name__}` as "
            "`save_to_preset` writes them. Received: "
            f"{type(error).__name__}: {error}"
        ) from error


def _check_format_version(folder: Path, metadata: dict[str, Any]) -> None:
    version = metadata.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"{folder / METADATA_FILE}: `format_version` must be at most "
            f"{FORMAT_VERSION}; a newer keras_cowclip "
            f"({metadata.get('keras_cowclip_version')}) wrote the preset, so "
            f"upgrade this one. Received: format_version={version}"
        )


def _check_weights(path: Path, metadata: dict[str, Any]) -> None:
    expected = metadata.get("weights_sha256")
    if expected is not None and (received := _sha256(path)) != expected:
        raise ValueError(
            f"{path}: must be the file that was saved, of sha256 {expected}; "
            f"get the preset again. Received: sha256 {received}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(
            f"{path}: must be JSON; the preset is damaged. Received: {error}"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path}: must hold a JSON object. Received: {content!r:.100}"
        )
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
