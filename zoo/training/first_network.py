"""Makes the network that a run begins with, new or from a preset."""

from pathlib import Path

from zoo.data.encoded_log import EncodedLog
from zoo.models import grow
from zoo.models.ctr_model import CTRModel
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import load_model
from zoo.training.recipe import Recipe


def make_first_network(
    recipe: Recipe, log: EncodedLog, initial_model: str | Path | None
) -> CTRModel:
    """Builds a recipe's network, or loads a preset whose tables grow."""
    if initial_model is None:
        return recipe.make_network(log.schema)
    return _load_grown(initial_model, log, recipe.dtype)


def _load_grown(
    preset: str | Path, log: EncodedLog, dtype: str | None = None
) -> CTRModel:
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
    return grow(network, log.schema)
