"""Trained models as folders: config, weights, schema and encoder together."""

import json
from pathlib import Path
from typing import Any

import keras

import keras_cowclip
from zoo.encoding import ClickEncoder
from zoo.models import MODELS
from zoo.models.ctr_model import CTRModel

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
METADATA_FILE = "metadata.json"
ENCODER_FOLDER = "encoder"


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
            "keras_version": keras.__version__,
            "keras_cowclip_version": keras_cowclip.__version__,
            "parameter_count": model.count_params(),
            **(metadata or {}),
        },
    )
    if encoder is not None:
        encoder.save(folder / ENCODER_FOLDER)


def from_preset(folder: str | Path) -> CTRModel:
    """Loads a model that `save_to_preset` or `python -m zoo train` wrote.

    Args:
        folder: path of the preset.

    Returns:
        The model, uncompiled.

    Raises:
        FileNotFoundError: if the folder or one of its files is missing.
        ValueError: if the config is not that of a model of the zoo.

    Example:

    ```python
    model = zoo.from_preset("runs/deepfm")
    ```
    """
    folder = Path(folder)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                "A saved model is a folder written by `python -m zoo train` "
                f"or `save_to_preset`; it lacks {name}. Received: {folder}"
            )
    config = json.loads((folder / CONFIG_FILE).read_text())
    known = [keras.saving.get_registered_name(cls) for cls in MODELS.values()]
    if config.get("registered_name") not in known:
        raise ValueError(
            f"{folder / CONFIG_FILE}: `registered_name` must be one of "
            f"{known}. Received: {config.get('registered_name')}"
        )
    model = keras.saving.deserialize_keras_object(config)
    model.load_weights(folder / WEIGHTS_FILE)
    return model


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
