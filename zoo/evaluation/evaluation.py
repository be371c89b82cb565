"""Evaluates models on splits of an encoded log, with exact metrics."""

import os
from typing import Any

from zoo.checks import check_instance
from zoo.data.click_batches import ClickBatches
from zoo.data.encoded_log import EncodedLog
from zoo.data.split import Split
from zoo.feature_schema import FeatureSchema
from zoo.metrics import exact_metrics
from zoo.metrics import warn_if_useless
from zoo.models.ctr_model import CTRModel
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import load_model

EVALUATION_BATCH_SIZE = 16_384


def evaluate(
    preset: str | os.PathLike,
    log: EncodedLog,
    split: str = "test",
    **hub: Any,
) -> dict[str, float]:
    """Evaluates a saved model on a split of an encoded log, exactly.

    Args:
        preset: path of a folder written by `train`, or another preset that
            `zoo.from_preset` takes.
        log: `EncodedLog` with the schema the model was trained on.
        split: string, `"train"`, `"validation"` or `"test"`. Defaults to
            `"test"`.
        **hub: `revision`, `token` and `cache_dir`, as `zoo.from_preset` takes
            them.

    Returns:
        Dict of `auc`, `log_loss` and `calibration`.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        ValueError: if the split does not exist or the model was trained on
            another schema or vocabulary.

    Warns:
        UselessPredictionsWarning: if the predictions say far less than the
            click rate alone.

    Example:

    ```python
    zoo.evaluate("runs/deepfm", zoo.EncodedLog.load("encoded/criteo"))
    ```
    """
    check_instance("log", log, EncodedLog)
    rows = log.split(split)
    metrics = evaluate_split(model_for_log(preset, log, **hub), rows)
    warn_if_useless(rows.labels, metrics)
    return metrics


def model_for_log(
    preset: str | os.PathLike, log: EncodedLog, **hub: Any
) -> CTRModel:
    """Loads the model of a preset; raises if the log has other ids."""
    opened = PresetFolder.open(preset, encoder=True, **hub)
    network = load_model(opened)
    if network.schema != log.schema:
        raise ValueError(
            f"The model in {preset} was trained on another schema than "
            f"the data in {log.source} has; encode the data with the model's "
            f"own encoder. {_first_difference(network.schema, log.schema)}"
        )
    if not opened.has_ids_of(log.encoder):
        raise ValueError(
            f"The model in {preset} was trained on other ids, or other ranges "
            f"of the dense columns, than the data in {log.source} has; encode "
            f"the data with the model's own encoder: `python -m zoo prepare "
            f"--encoder {opened.encoder_folder}`. Received: log={log.source}"
        )
    return network


def evaluate_split(network: CTRModel, split: Split) -> dict[str, float]:
    """Returns the exact metrics of a model on one split."""
    batches = ClickBatches(split, EVALUATION_BATCH_SIZE)
    return exact_metrics(
        split.labels, network.predict(batches.to_keras(), verbose=0)
    )


def name_of_evaluation_split(log: EncodedLog) -> str:
    """Returns the split that a report measures: test, else validation."""
    for name in ("test", "validation"):
        if name in log.splits:
            return name
    raise ValueError(
        "`log` must have a test or a validation split to measure the model on. "
        f"Received: log with the splits {list(log.splits)}"
    )


def _first_difference(
    model_schema: FeatureSchema, data_schema: FeatureSchema
) -> str:
    ours, theirs = model_schema.get_config(), data_schema.get_config()
    for key in ours:
        if ours[key] != theirs[key]:
            pairs = [(ours[key], theirs[key])]
            if isinstance(ours[key], list) and len(ours[key]) == len(
                theirs[key]
            ):
                pairs = [
                    pair
                    for pair in zip(ours[key], theirs[key], strict=True)
                    if pair[0] != pair[1]
                ]
            return (
                f"Received: {key} {pairs[0][1]} in the data, {pairs[0][0]} in "
                "the model"
            )
    return ""
