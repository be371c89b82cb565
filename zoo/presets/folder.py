"""Reads the folder of a preset."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import TypeVar

import keras

from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.files.sha256 import checksum
from zoo.presets.own_network import restored_model
from zoo.presets.source import preset_folder

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.weights.h5"
METADATA_FILE = "metadata.json"
ENCODER_FOLDER = "encoder"
CARD_FILE = "README.md"
CURVES_FILE = "learning_curves.png"
# Beside the config of a model that does not keep its schema.
SCHEMA_KEY = "schema"
# Rises when an earlier version could no longer read what is written.
FORMAT_VERSION = 1

Network = TypeVar("Network", bound=keras.Model)


@dataclass(frozen=True)
class PresetFolder:
    """A preset on this machine, its config and metadata read and checked.

    Nothing that a preset holds is run: its config may only name a network,
    or layers of Keras and classes that were registered before.

    Attributes:
        preset: string. The preset as the caller named it, for messages.
        folder: path.
        config: dict, of `config.json`.
        metadata: dict, of `metadata.json`; empty in presets of the first
            versions.
    """

    preset: str
    folder: Path
    config: dict[str, Any]
    metadata: dict[str, Any]

    @classmethod
    def open(
        cls,
        preset: str | os.PathLike,
        *,
        weights: bool = True,
        encoder: bool = False,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike | None = None,
    ) -> "PresetFolder":
        """Finds a preset, or fetches it.

        Args:
            preset: name of a built-in preset, path of a folder, or
                `"hf://user/repository"`.
            weights: boolean. Whether the weights are needed. Defaults to
                `True`.
            encoder: boolean. Whether the encoder is needed. Defaults to
                `False`.
            revision, token, cache_dir: of the Hub; see
                `zoo.presets.source.preset_folder`.

        Raises:
            FileNotFoundError: if the preset or one of its files is missing.
            ValueError: if a file is damaged or of a newer version.
        """
        needed = (CONFIG_FILE, *([WEIGHTS_FILE] if weights else []))
        folder = preset_folder(
            preset,
            (
                *needed,
                METADATA_FILE,
                *([f"{ENCODER_FOLDER}/*"] if encoder else []),
            ),
            revision=revision,
            token=token,
            cache_dir=cache_dir,
        )
        for name in needed:
            if not (folder / name).is_file():
                raise FileNotFoundError(
                    "`preset` must be a folder that `python -m zoo train` or "
                    f"`save_to_preset` wrote: it has no {name}. "
                    f"Received: preset={str(preset)!r}"
                )
        metadata = {}
        if (folder / METADATA_FILE).is_file():
            metadata = _read_json(folder / METADATA_FILE)
        _check_format_version(folder, metadata)
        return cls(
            str(preset), folder, _read_json(folder / CONFIG_FILE), metadata
        )

    @property
    def registered_name(self) -> Any:
        """The name of the network's class in Keras' registry."""
        return self.config.get("registered_name")

    def make_model(
        self, cls: type[Network], load_weights: bool, dtype: Any
    ) -> Network:
        """Builds the network and loads its weights.

        Raises:
            ValueError: if the preset is of another class, its config is
                damaged, or the weights are not those that were saved.
        """
        if self.registered_name != keras.saving.get_registered_name(cls):
            saved = str(self.registered_name).rpartition(">")[2]
            raise ValueError(
                f"The preset holds a `{saved}`: call `zoo.{saved}.from_preset`"
                " or `zoo.from_preset`, which finds the class. Received: "
                f"{cls.__name__}.from_preset({self.preset!r})"
            )
        try:
            arguments = dict(self.config["config"])
            # Keras would import any module that these name.
            del arguments["schema"]
            saved_policy = arguments.pop("dtype")
            if dtype is None and saved_policy is not None:
                dtype = saved_policy["config"]["name"]
            model = cls(self.schema, dtype=dtype, **arguments)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{self.folder / CONFIG_FILE}: must hold the arguments of "
                f"`{cls.__name__}` as `save_to_preset` writes them. Received: "
                f"{type(error).__name__}: {error}"
            ) from error
        return self._with_weights(model, load_weights)

    @property
    def is_of_a_user(self) -> bool:
        """Whether the model's class has no name of the zoo."""
        return SCHEMA_KEY in self.config

    @property
    def schema(self) -> FeatureSchema:
        """The columns that the model was made for.

        Raises:
            ValueError: if the config is damaged.
        """
        try:
            if self.is_of_a_user:
                saved = self.config[SCHEMA_KEY]
            else:
                saved = self.config["config"]["schema"]["config"]
            return FeatureSchema.from_config(saved)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{self.folder / CONFIG_FILE}: must hold the schema as "
                "`save_to_preset` writes it. Received: "
                f"{type(error).__name__}: {error}"
            ) from error

    def make_own_model(self, load_weights: bool, dtype: Any) -> keras.Model:
        """Builds a model of a class that the user made, with its weights.

        Raises:
            ValueError: if a class is not registered, the config is damaged, or
                the weights are not those that were saved.
        """
        model = restored_model(
            {k: v for k, v in self.config.items() if k != SCHEMA_KEY},
            self.schema,
            f"{self.folder / CONFIG_FILE}",
            dtype,
        )
        return self._with_weights(model, load_weights)

    def _with_weights(self, model: Network, load_weights: bool) -> Network:
        if load_weights:
            self.check_weights()
            model.load_weights(self.folder / WEIGHTS_FILE)
        return model

    @property
    def encoder_folder(self) -> Path:
        """Path of the encoder, which a preset need not have."""
        return self.folder / ENCODER_FOLDER

    def has_ids_of(self, encoder: ClickEncoder | None) -> bool:
        """Whether an encoder gives the ids that the preset was trained on.

        Also true if there is no encoder on one side to compare.
        """
        if encoder is None or not self.encoder_folder.is_dir():
            return True
        return encoder.extends(self.load_encoder())

    def load_encoder(self) -> ClickEncoder:
        """Loads the encoder whose ids the model was trained on.

        Raises:
            FileNotFoundError: if the preset has none, or a file is missing.
            ValueError: if a file is damaged.
        """
        if not self.encoder_folder.is_dir():
            raise FileNotFoundError(
                "The preset must have an encoder to take raw rows. It has none "
                "if it was trained on ids that never were text, or uploaded "
                "without the vocabulary of a licensed log: call the model "
                "itself on ids (`zoo.from_preset`). If only the cache lacks "
                "the encoder, fetch the preset again with a connection. "
                f"Received: {self.preset}"
            )
        return ClickEncoder.load(self.encoder_folder)

    def check_weights(self) -> None:
        """Raises a `ValueError` unless the weights are as they were saved."""
        path = self.folder / WEIGHTS_FILE
        expected = self.metadata.get("weights_sha256")
        if expected is not None and (received := checksum(path)) != expected:
            raise ValueError(
                f"{path}: must be the file that was saved, of sha256 "
                f"{expected}; get the preset again. "
                f"Received: sha256 {received}"
            )


def _check_format_version(folder: Path, metadata: dict[str, Any]) -> None:
    version = metadata.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"{folder / METADATA_FILE}: `format_version` must be at most "
            f"{FORMAT_VERSION}; a newer keras_cowclip "
            f"({metadata.get('keras_cowclip_version')}) wrote the preset, so "
            f"upgrade this one. Received: format_version={version}"
        )


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
