"""Measures permutation importance: the loss when a column is shuffled."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from zoo.data.click_batches import ClickBatches
from zoo.data.split import Split
from zoo.feature_schema import FeatureSchema
from zoo.metrics import exact_metrics
from zoo.models.padded_prediction import predict_padded

# A drop of up to so many standard deviations counts as noise of the shuffles.
NOISE_DEVIATIONS = 2


class Column(NamedTuple):
    """A column of the inputs: `inputs[key][:, place]`.

    A sequence is a column as a whole, and its place is all of its array.
    """

    name: str
    key: str
    place: int | slice
    kind: str

    def read(self, batches: ClickBatches) -> np.ndarray:
        """Returns the values of all rows, batch by batch."""
        return np.concatenate(
            [
                batches.batch(0, step)[0][self.key][:, self.place]
                for step in range(len(batches))
            ]
        )


def columns_of(schema: FeatureSchema) -> list[Column]:
    """Returns numeric columns, fields and sequences, in the schema's order."""
    dense, fields = (
        [Column(name, key, place, kind) for place, name in enumerate(names)]
        for key, kind, names in (
            ("dense", "dense", schema.dense),
            ("ids", "categorical", schema.categorical),
        )
    )
    whole = slice(None)
    lists = [Column(n, n, whole, "sequence") for n in schema.sequences]
    return [*dense, *fields, *lists]


def labels_of(split: Split, label: int) -> np.ndarray:
    """Returns one label of all rows, `(rows,)`."""
    labels = split.labels
    return labels[:, label] if labels.ndim > 1 else labels


def measure_importance(
    network: keras.Model,
    columns: list[Column],
    batches: ClickBatches,
    metrics: dict[str, float],
    repeats: int,
    seed: int,
    advance: Callable[[], None],
    label: int,
) -> list[dict[str, Any]]:
    """Shuffles one column after the other and measures what the model loses.

    `auc_drop = mean over repeats of (auc - auc with the column shuffled)`

    and likewise `log_loss_rise`. Repeat `r` of the schema's column `c`, the
    numeric ones first, has the order
    `np.random.default_rng([seed, c, r]).permutation(rows)`.

    Args:
        network: `keras.Model`.
        columns: list of `Column`, those of the model.
        batches: `ClickBatches` in the order of their split. One column at a
            time is read into memory.
        metrics: dict, `exact_metrics` of the rows as they are.
        repeats: integer, at least 2. Shuffles of each column.
        seed: integer, not negative.
        advance: called after every batch.
        label: integer, the number of the label.

    Returns:
        A dict a column, those with the largest `auc_drop` first. Beside the
        means: `column`, `kind`, the standard deviations over the repeats, and
        `within_noise`, whether the drop is at most two of them.
    """
    labels = labels_of(batches.split, label)
    importance = []
    for number, column in enumerate(columns):
        values = column.read(batches)
        shuffled_metrics = []
        for repeat in range(repeats):
            random = np.random.default_rng([seed, number, repeat])
            shuffled = values[random.permutation(len(values))]
            scores = predict_split(
                network, batches, advance, label, column, shuffled
            )
            shuffled_metrics.append(exact_metrics(labels, scores))
        importance.append(_summary(column, metrics, shuffled_metrics))
    return sorted(importance, key=lambda found: -found["auc_drop"])


def predict_split(
    network: keras.Model,
    batches: ClickBatches,
    advance: Callable[[], None],
    label: int,
    column: Column | None = None,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the probability of a label for every row.

    Args:
        network: `keras.Model`.
        batches: `ClickBatches` in the order of their split.
        advance: called after every batch.
        label: integer, the number of the label.
        column: `Column` to replace. Defaults to `None`.
        values: `(rows,)`, or `(rows, max_length)` of a sequence, what to
            replace it with. Defaults to `None`.

    Returns:
        `(rows,)` float32.
    """
    size = batches.batch_size
    scores: np.ndarray = np.empty(len(batches.split), "float32")
    for step in range(len(batches)):
        rows = slice(step * size, (step + 1) * size)
        inputs = batches.batch(0, step)[0]
        if column is not None and values is not None:
            # The batch may be a view of the files.
            replaced = inputs[column.key].copy()
            replaced[:, column.place] = values[rows]
            inputs = {**inputs, column.key: replaced}
        labels = batches.split.label_names
        predicted = predict_padded(network, inputs, size, labels)
        scores[rows] = predicted[:, label]
        advance()
    return scores


def _summary(
    column: Column,
    metrics: dict[str, float],
    shuffled: list[dict[str, float]],
) -> dict[str, Any]:
    drops = metrics["auc"] - np.array([found["auc"] for found in shuffled])
    rises = np.array([found["log_loss"] for found in shuffled])
    rises -= metrics["log_loss"]
    drop, deviation = float(drops.mean()), float(drops.std(ddof=1))
    return {
        "column": column.name,
        "kind": column.kind,
        "auc_drop": drop,
        "auc_drop_deviation": deviation,
        "log_loss_rise": float(rises.mean()),
        "log_loss_rise_deviation": float(rises.std(ddof=1)),
        "within_noise": drop <= NOISE_DEVIATIONS * deviation,
        "auc_drops": drops.tolist(),
        "log_loss_rises": rises.tolist(),
    }
