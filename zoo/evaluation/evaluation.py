"""Evaluates models on splits of an encoded log, with exact metrics."""

import os
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from zoo.checks import check_choice
from zoo.checks import check_instance
from zoo.data.encoded_log import EncodedLog
from zoo.data.split import Split
from zoo.devices import ONE_DEVICE
from zoo.devices import Devices
from zoo.feature_schema import FeatureSchema
from zoo.metrics import TrainingDivergedError
from zoo.metrics import exact_metrics
from zoo.metrics import group_auc
from zoo.metrics import warn_if_useless
from zoo.models.ctr_model import CTRModel
from zoo.models.fit_check import check_fits
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import load_model
from zoo.presets.source import check_nothing_to_fetch


def evaluate(
    preset: str | os.PathLike | keras.Model,
    log: EncodedLog,
    split: str = "test",
    group_by: str | Iterable[str] | None = None,
    **hub: Any,
) -> dict[str, Any]:
    """Evaluates a saved model on a split of an encoded log, exactly.

    Each row counts once: metrics take no notice of sample weights.

    Args:
        preset: path of a folder written by `train`, or another preset that
            `zoo.from_preset` takes; or a `keras.Model` that fits the log.
        log: `EncodedLog` with the schema the model was trained on.
        split: string, `"train"`, `"validation"` or `"test"`. Defaults to
            `"test"`.
        group_by: string or strings, categorical fields such as `"user"`. The
            AUC is also measured within the rows that share an id of the field:
            gAUC. The ids 0 (missing) and 1 (not in the vocabulary) are a group
            each. Defaults to `None`.
        **hub: `revision`, `token` and `cache_dir`, as `zoo.from_preset` takes
            them.

    Returns:
        Dict of `auc`, `log_loss` and `calibration`. With `group_by` also of
        `groups`: for each field a dict of `gauc`, the mean of the groups' AUCs
        weighted by their rows, or `None` if no group has both clicks and
        non-clicks; `groups`, the number of groups that have both; and
        `left_out_share`, the share of the rows that are in the other groups.

        In a log with several labels, a dict from each label to such a dict,
        of the rows that have the label; `missing_rows` counts the others.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        TrainingDivergedError: a `ValueError`, if a prediction is not finite.
        ValueError: if the split or a field does not exist, the split has one
            class of a label only, or the model was trained on another schema
            or vocabulary.

    Warns:
        UselessPredictionsWarning: if the predictions say far less than the
            click rate alone.

    Example:

    ```python
    zoo.evaluate("runs/deepfm", zoo.EncodedLog.load("encoded/criteo"))
    ```
    """
    check_instance("log", log, EncodedLog)
    fields = fields_to_group_by(log.schema, group_by)
    rows = log.split(split)
    network = model_for_log(preset, log, **hub)
    metrics = evaluate_split(network, rows, log.schema, fields)
    warn_if_useless(rows.labels, metrics)
    return metrics


def fields_to_group_by(
    schema: FeatureSchema, group_by: str | Iterable[str] | None
) -> tuple[str, ...]:
    """Returns the fields of `group_by`; raises for one that does not exist."""
    if group_by is None:
        return ()
    if isinstance(group_by, str) or not isinstance(group_by, Iterable):
        group_by = (group_by,)
    fields = tuple(group_by)
    for field in fields:
        check_choice("group_by", field, schema.categorical)
    return tuple(dict.fromkeys(fields))


def model_for_log(
    preset: str | os.PathLike | keras.Model, log: EncodedLog, **hub: Any
) -> keras.Model:
    """Loads the model of a preset, or returns a model as it is.

    Raises a `ValueError` if it does not fit the log.
    """
    if isinstance(preset, keras.Model):
        check_nothing_to_fetch(hub)
        if isinstance(preset, CTRModel):
            check_same_schema(preset, log.schema)
        else:
            check_fits(preset, log.schema)
        return preset
    opened = PresetFolder.open(preset, encoder=True, **hub)
    network = load_model(opened)
    if opened.schema != log.schema:
        raise ValueError(
            f"The model in {preset} was trained on another schema than "
            f"the data in {log.source} has; encode the data with the model's "
            f"own encoder. {_first_difference(opened.schema, log.schema)}"
        )
    if not opened.has_ids_of(log.encoder):
        raise ValueError(
            f"The model in {preset} was trained on other ids, or other ranges "
            f"of the dense columns, than the data in {log.source} has; encode "
            f"the data with the model's own encoder: `python -m zoo prepare "
            f"--encoder {opened.encoder_folder}`. Received: log={log.source}"
        )
    return network


def check_same_schema(model: CTRModel, schema: FeatureSchema) -> None:
    """Raises a `ValueError` unless a model was made for the log's schema."""
    if model.schema != schema:
        raise ValueError(
            "`model` must have been made for the schema of the log. "
            f"{_first_difference(model.schema, schema)}"
        )


def evaluate_split(
    network: keras.Model,
    split: Split,
    schema: FeatureSchema,
    group_by: Iterable[str] = (),
    devices: Devices = ONE_DEVICE,
) -> dict[str, Any]:
    """Returns the exact metrics of a model on one split.

    Args:
        network: `keras.Model`.
        split: `Split`.
        schema: `FeatureSchema` of the split.
        group_by: strings, as `fields_to_group_by` returns them.
        devices: `Devices` that the model was made on. Defaults to one.

    Returns:
        What `evaluate` returns.
    """
    predicted = devices.predict(network, split)
    groups = _groups(schema, split, group_by)
    labels = split.labels
    if labels.ndim == 1:
        return _metrics(labels, predicted, groups)
    return {
        name: _metrics_of_label(name, column, predicted[name].ravel(), groups)
        for name, column in zip(schema.labels, labels.T, strict=True)
    }


def _metrics(
    labels: np.ndarray, probabilities: np.ndarray, groups: dict[str, np.ndarray]
) -> dict[str, Any]:
    metrics: dict[str, Any] = exact_metrics(labels, probabilities)
    if groups:
        metrics["groups"] = {
            field: group_auc(labels, probabilities, ids)
            for field, ids in groups.items()
        }
    return metrics


def _metrics_of_label(
    name: str,
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: dict[str, np.ndarray],
) -> dict[str, Any]:
    has_label = labels >= 0
    missing = len(labels) - int(np.count_nonzero(has_label))
    if missing:
        labels, probabilities = labels[has_label], probabilities[has_label]
        groups = {field: ids[has_label] for field, ids in groups.items()}
    try:
        metrics = _metrics(labels, probabilities, groups)
    except TrainingDivergedError as error:
        message = f"Of the label '{name}': {error}"
        raise TrainingDivergedError(message) from error
    except ValueError as error:
        raise ValueError(f"Of the label '{name}': {error}") from error
    return {**metrics, "missing_rows": missing}


def _groups(
    schema: FeatureSchema, split: Split, group_by: Iterable[str]
) -> dict[str, np.ndarray]:
    """Returns the ids of all rows in each field."""
    fields = list(group_by)
    if not fields:
        return {}
    places = [list(schema.categorical).index(field) for field in fields]
    ids = np.concatenate([rows[0]["ids"][:, places] for rows in split.blocks()])
    return dict(zip(fields, ids.T, strict=True))


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
    # Not all schemas have sequences, roles and a weight.
    for key in {**ours, **theirs}:
        our, their = ours.get(key), theirs.get(key)
        if our == their:
            continue
        both = isinstance(our, list) and isinstance(their, list)
        if both and len(our) == len(their):
            our, their = next(
                pair
                for pair in zip(our, their, strict=True)
                if pair[0] != pair[1]
            )
        return f"Received: {key} {their} in the data, {our} in the model"
    return ""
