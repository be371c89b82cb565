"""Makes the table of a scaling study from the reports of its runs."""

import csv
import io
from pathlib import Path
from typing import Any

from zoo.files.whole_output import atomic_output

RESULTS_FILE = "results.csv"
Row = dict[str, Any]


def row_of(report: dict[str, Any]) -> Row:
    """One line of `results.csv`; a diverged run has no metrics.

    Args:
        report: as `zoo.train` returns it, with the `variant` of the recipe and
            the `wall_seconds` of the whole run.
    """
    settings = report["hyperparameters"]
    validation = report["history"].get("val_auc", [])
    bayes = report["bayes"] or {}
    row: Row = {
        "model": report["model"],
        "rule": settings["rule"],
        "variant": report["variant"],
        "batch_size": report["batch_size"],
        "seed": settings["seed"],
        "epochs": settings["epochs"],
        "auc": report["auc"],
        "log_loss": report["log_loss"],
        "calibration": report["calibration"],
        "best_epoch": (
            1 + validation.index(max(validation)) if validation else None
        ),
        "best_epoch_auc": _last(report, "best_epoch_auc"),
        "best_epoch_log_loss": _last(report, "best_epoch_log_loss"),
        "bayes_auc": bayes.get("auc"),
        "bayes_log_loss": bayes.get("log_loss"),
        "clipped_share": _last(report, "clipped_share"),
        "seconds": report["seconds"],
        "samples_per_second": report["samples_per_second"],
        "learning_rate": settings["learning_rate"],
        "embedding_learning_rate": settings["embedding_learning_rate"],
        "embedding_l2": settings["embedding_l2"],
        "frequency_scale": settings.get("frequency_scale"),
        "beta_1": settings.get("beta_1"),
        "beta_2": settings.get("beta_2"),
        "epsilon": settings.get("epsilon"),
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
        "data": report["data"],
        "evaluated_on": report["evaluated_on"],
        "backend": report["backend"],
        "versions": " ".join(
            f"{name} {value}" for name, value in report["versions"].items()
        ),
        "hardware": report["hardware"],
        "wall_seconds": report["wall_seconds"],
    }
    return {**row, **_regret(row)}


def compared(row: Row, name: str) -> Any:
    """The metric by which runs are compared, `"auc"` or `"log_loss"`.

    That of the epoch with the best validation AUC, as early stopping would
    have it, or in a log without validation that of the last epoch.
    """
    best = row[f"best_epoch_{name}"]
    return row[name] if best is None else best


def _regret(row: Row) -> Row:
    """How far from the best possible metrics, where those are known."""
    regret: Row = {}
    for name, sign in (("auc", 1), ("log_loss", -1)):
        best, reached = row[f"bayes_{name}"], compared(row, name)
        known = best is not None and reached is not None
        regret[f"{name}_regret"] = sign * (best - reached) if known else None
    return regret


def _last(report: dict[str, Any], name: str) -> Any:
    return (report["history"].get(name) or [None])[-1]


def write_results(rows: list[Row], folder: Path) -> None:
    """Writes `results.csv` anew, so that it is whole at every moment."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_output(folder / RESULTS_FILE) as path:
        path.write_text(text.getvalue())
