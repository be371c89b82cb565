import math
from typing import Any

import keras

from zoo.data.split import Split
from zoo.devices import Devices
from zoo.evaluation.evaluation import evaluate_split
from zoo.feature_schema import FeatureSchema
from zoo.metrics import is_by_label
from zoo.training.averaging import averaged_weights
from zoo.training.state import TrainingState


class ValidationMetrics(keras.callbacks.Callback):
    """Puts the exact metrics of a split into every epoch's logs.

    They are `val_auc` and `val_log_loss`, and `val_gauc_FIELD` of each field
    of `group_by` that has groups with both classes. In a log with several
    labels these are of the first label, by which the best epoch is chosen.
    Each label also has its own, `val_LABEL_auc` and so on. If the optimizer
    keeps averages of the weights, the averages are measured.

    Args:
        split: `Split` to predict after every epoch.
        schema: `FeatureSchema` of the split.
        state: `TrainingState` of the run, for `at_best`.
        at_best: `Split` to predict as well after every epoch whose AUC is the
            highest so far, or `None`. The logs then have its metrics at the
            best epoch as `best_epoch_auc`, `best_epoch_log_loss` and so on.
        group_by: tuple of strings, fields by which to measure gAUC.
        devices: `Devices` that the model was made on.
    """

    def __init__(
        self,
        split: Split,
        schema: FeatureSchema,
        state: TrainingState,
        at_best: Split | None,
        group_by: tuple[str, ...],
        devices: Devices,
    ):
        super().__init__()
        self.split = split
        self.schema = schema
        self.state = state
        self.at_best = at_best
        self.group_by = group_by
        self.devices = devices

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            self._measure({} if logs is None else logs)

    def _measure(self, logs):
        metrics = self._metrics_of(self.split)
        logs.update({f"val_{name}": metrics[name] for name in metrics})
        if self.at_best is None:
            return
        history = self.state.history
        if metrics["auc"] > max(history.get("val_auc", []), default=-math.inf):
            best = self._metrics_of(self.at_best)
            logs.update({f"best_epoch_{name}": best[name] for name in best})
        else:
            logs.update(
                {
                    name: values[-1]
                    for name, values in history.items()
                    if name.startswith("best_epoch_")
                }
            )

    def _metrics_of(self, split):
        return logged_metrics(
            evaluate_split(
                self.model, split, self.schema, self.group_by, self.devices
            )
        )


def logged_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """Returns the metrics of a split that an epoch's logs have.

    Args:
        metrics: dict, what `evaluate_split` returned.

    Example:

    >>> logged_metrics({"auc": 0.7, "log_loss": 0.5, "calibration": 1.0})
    {'auc': 0.7, 'log_loss': 0.5}
    """
    if is_by_label(metrics):
        labels = {name: logged_metrics(metrics[name]) for name in metrics}
        return next(iter(labels.values())) | {
            f"{label}_{name}": value
            for label, of_label in labels.items()
            for name, value in of_label.items()
        }
    logged = {name: metrics[name] for name in ("auc", "log_loss")}
    for field, of_groups in metrics.get("groups", {}).items():
        # Groups that all have one class have none in any epoch.
        if of_groups["gauc"] is not None:
            logged[f"gauc_{field}"] = of_groups["gauc"]
    return logged
