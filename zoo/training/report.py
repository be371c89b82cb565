from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from zoo.data.encoded_log import EncodedLog
from zoo.evaluation.evaluation import name_of_evaluation_split
from zoo.metrics import is_by_label
from zoo.runtime.environment import describe_environment
from zoo.training.early_stopping import best_epoch
from zoo.training.recipe import Recipe
from zoo.training.result_columns import Row
from zoo.training.result_columns import columns_of_groups
from zoo.training.result_columns import regret

# Keys that a report leaves out where they are `None`.
_OPTIONAL = (
    "stopped_at", "best_epoch", "variant", "wall_seconds", "unseen_rows",
    "groups", "labels",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Report:
    """Holds what a training run measured, and the settings of the run.

    `report.json` has the attributes as its keys, in this order. A run that
    diverged has no metrics, no seconds and no curves.

    Attributes:
        initial_model: string, the preset that the run began with, or `None`.
        model: string, the network's name.
        data: string, where the log lies or what it is called.
        evaluated_on: string, the split that the metrics are of.
        auc, log_loss, calibration: floats, after the last epoch, or with
            `patience` after the best one. Of several labels they are of the
            first, and so is the best epoch.
        seconds: float, spent in training, without validation.
        samples_per_second: float, of the training rows in these seconds.
        batch_size: integer.
        hyperparameters: dict, see `zoo.Recipe.hyperparameters`.
        backend: string.
        versions: dict of the packages' versions.
        hardware: string.
        rows: dict of the rows of each split.
        unseen_rows: integer, the training rows that came in no batch. Rows
            that are left at the end of an epoch begin the next one. So only a
            run of one epoch, or one that was stopped in its first, has unseen
            rows. No key if there are none.
        bayes: dict of the best possible metrics, or `None` where they are not
            known. In a log with several labels, a dict from each to these.
        history: dict. Per name, the values of all epochs. What
            `ValidationMetrics` measures begins with `val_`.
        clipped_curve: list of floats, the share of clipped rows over the run.
        resumed_at: list of `[epoch, step]`.
        stopped_at: `[epoch, step]`, where a callback ended the run. No key
            if it went through all epochs. Where the step is not 0, it was
            within an epoch, which counts as one in `history`.
        best_epoch: integer, from 1. The epoch with the highest validation AUC,
            which the model of a run with `patience` is of. No key without
            `patience`.
        variant: string, the variant of the recipe in a scaling study.
        wall_seconds: float, of the whole run in a scaling study.
        groups: dict. Per field that the run groups by, what
            `zoo.metrics.group_auc` returns. No key if there is none.
        labels: dict. Per label, its metrics as `zoo.evaluate` returns them. No
            key if there is one label only.
    """

    initial_model: str | None = None
    model: str
    data: str
    evaluated_on: str
    auc: float | None
    log_loss: float | None
    calibration: float | None
    seconds: float | None
    samples_per_second: float | None
    batch_size: int
    hyperparameters: dict[str, Any]
    backend: str
    versions: dict[str, str]
    hardware: str
    rows: dict[str, int]
    bayes: dict[str, Any] | None
    history: dict[str, list[float]]
    clipped_curve: list[float]
    resumed_at: list[list[int]] = field(default_factory=list)
    stopped_at: list[int] | None = None
    best_epoch: int | None = None
    variant: str | None = None
    wall_seconds: float | None = None
    unseen_rows: int | None = None
    groups: dict[str, dict[str, Any]] | None = None
    labels: dict[str, dict[str, Any]] | None = None

    @classmethod
    def of(cls, log: EncodedLog, recipe: Recipe, **measured: Any) -> "Report":
        """Returns the report of a run of `recipe` on `log`, on this machine.

        Args:
            log: `EncodedLog`.
            recipe: `Recipe`, with nothing left to fill in.
            **measured: the other attributes.
        """
        return cls(
            model=recipe.model,
            data=log.source,
            evaluated_on=name_of_evaluation_split(log),
            batch_size=recipe.batch_size,
            hyperparameters=recipe.hyperparameters(),
            rows={name: len(split) for name, split in log.splits.items()},
            **describe_environment(),
            **measured,
        )

    @classmethod
    def diverged(cls, log: EncodedLog, recipe: Recipe) -> "Report":
        """Returns the report of a run that ended without a model."""
        return cls.of(
            log,
            recipe,
            auc=None,
            log_loss=None,
            calibration=None,
            seconds=None,
            samples_per_second=None,
            bayes=None,
            history={},
            clipped_curve=[],
        )

    @classmethod
    def from_json(cls, content: Any) -> "Report":
        """Returns the report that `to_json` made `content` of.

        Raises:
            ValueError: if `content` lacks an attribute or has another one.
        """
        try:
            return cls(**content)
        except TypeError as error:
            raise ValueError(
                "A report must be a dict with the attributes of `Report`. "
                f"Received: {error}"
            ) from error

    @property
    def embedding_batch_size(self) -> int:
        """Rows per step of the embedding tables."""
        own = self.hyperparameters.get("embedding_batch_size")
        return own or self.batch_size

    @property
    def batches(self) -> str:
        """Rows per step, in words: that of the tables too if it is another."""
        text = f"batch {self.batch_size:,}"
        if self.embedding_batch_size == self.batch_size:
            return text
        return f"{text}, of tables {self.embedding_batch_size:,}"

    def to_json(self) -> dict[str, Any]:
        """Returns the attributes as a dict that JSON can hold."""
        content = asdict(self)
        for name in _OPTIONAL:
            if content[name] is None:
                del content[name]
        return content

    def metrics(self) -> dict[str, Any]:
        """Returns the metrics by their names, as `zoo.evaluate` does."""
        if self.labels:
            return self.labels
        metrics: dict[str, Any] = {
            "auc": self.auc,
            "log_loss": self.log_loss,
            "calibration": self.calibration,
        }
        return {**metrics, "groups": self.groups} if self.groups else metrics

    def metadata(self, data: str) -> dict[str, Any]:
        """Returns a preset's account of its training: all but the curves.

        Args:
            data: string, the name of the log. A preset travels, so the path of
                the log stays behind.
        """
        return {
            "data": data,
            "rows": self.rows,
            "evaluated_on": self.evaluated_on,
            "bayes": self.bayes,
            "seconds": self.seconds,
            "backend": self.backend,
            "versions": self.versions,
            "hardware": self.hardware,
            "metrics": self.metrics(),
            "recipe": {
                "model": self.model,
                "batch_size": self.batch_size,
                **self.hyperparameters,
            },
        }

    def row(self) -> Row:
        """Returns the run's line in the `results.csv` of a scaling study."""
        settings = self.hyperparameters
        bayes = self.best_possible(next(iter(self.labels or {}), ""))
        row: Row = {
            "model": self.model,
            "rule": settings["rule"],
            "variant": self.variant,
            "batch_size": self.batch_size,
            "embedding_batch_size": self.embedding_batch_size,
            "seed": settings["seed"],
            "epochs": settings["epochs"],
            "auc": self.auc,
            "log_loss": self.log_loss,
            "calibration": self.calibration,
            "best_epoch": self._best_epoch(),
            "best_epoch_auc": self._last("best_epoch_auc"),
            "best_epoch_log_loss": self._last("best_epoch_log_loss"),
            "bayes_auc": bayes.get("auc"),
            "bayes_log_loss": bayes.get("log_loss"),
            "clipped_share": self._last("clipped_share"),
            "seconds": self.seconds,
            "samples_per_second": self.samples_per_second,
            "learning_rate": settings["learning_rate"],
            "embedding_learning_rate": settings["embedding_learning_rate"],
            "embedding_l2": settings["embedding_l2"],
            "frequency_scale": settings.get("frequency_scale"),
            "beta_1": settings.get("beta_1"),
            "beta_2": settings.get("beta_2"),
            "epsilon": settings.get("epsilon"),
            "embedding_beta_1": settings.get("embedding_beta_1"),
            "embedding_beta_2": settings.get("embedding_beta_2"),
            "embedding_epsilon": settings.get("embedding_epsilon"),
            "clip_variant": settings["clip_variant"],
            "clip_ratio": settings["clip_ratio"],
            "clip_threshold": settings["clip_threshold"],
            "clip_floor": settings["clip_floor"],
            "warmup_epochs": settings["warmup_epochs"],
            "decay": settings["decay"],
            "embedding_dim": settings["embedding_dim"],
            "embedding_deviation": settings["embedding_deviation"],
            "hidden_units": "-".join(map(str, settings["hidden_units"])),
            "dtype": settings["dtype"],
            "lazy": settings["lazy"],
            "average": settings.get("average", "none"),
            "average_epochs": settings.get("average_epochs"),
            "data": self.data,
            "evaluated_on": self.evaluated_on,
            "backend": self.backend,
            "versions": " ".join(
                f"{name} {value}" for name, value in self.versions.items()
            ),
            "hardware": self.hardware,
            "wall_seconds": self.wall_seconds,
        }
        return {**row, **regret(row), **self._row_of_labels()}

    def best_possible(self, label: str = "") -> dict[str, float]:
        """Returns the best possible metrics, or an empty dict if not known.

        Args:
            label: string, one of several labels. Defaults to `""`, where
                there is one.
        """
        bayes = self.bayes or {}
        return bayes.get(label, {}) if label else bayes

    def _row_of_labels(self) -> Row:
        """Returns the columns of some logs alone; their names have dots."""
        if not self.labels:
            return columns_of_groups("", self.groups)
        row: Row = {}
        for label, metrics in self.labels.items():
            bayes = self.best_possible(label)
            for name in ("auc", "log_loss"):
                best_epoch = self._last(f"best_epoch_{label}_{name}")
                row[f"{label}.{name}"] = metrics[name]
                row[f"{label}.best_epoch_{name}"] = best_epoch
                row[f"{label}.bayes_{name}"] = bayes.get(name)
            row[f"{label}.calibration"] = metrics["calibration"]
            row |= columns_of_groups(f"{label}.", metrics.get("groups"))
        return row

    def _best_epoch(self) -> int | None:
        aucs = self.history.get("val_auc")
        return best_epoch(aucs) if aucs else None

    def _last(self, name: str) -> float | None:
        values = self.history.get(name)
        return values[-1] if values else None


def attributes_of(metrics: dict[str, Any]) -> dict[str, Any]:
    """Returns the attributes of a report that hold the metrics of a split.

    Args:
        metrics: dict, what `zoo.evaluate` returns.
    """
    if not is_by_label(metrics):
        return metrics
    first = dict(next(iter(metrics.values())))
    del first["missing_rows"]
    return {**first, "labels": metrics}
