"""Draws the learning curves of a training run."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.runtime.figure_style import styled
from zoo.runtime.figure_text import drawable
from zoo.training.report import Report


def plot_learning_curves(report: Report, path: str | Path) -> None:
    """Draws loss and AUC against the epoch, and the share of clipped rows.

    If there was a validation split, it has curves too: of several labels, each
    in its own colour. Curves of the AUC by group are dotted. With `patience` a
    line marks the best epoch. The clipped share has a panel if a row was
    clipped.

    Args:
        report: `Report` of the run.
        path: of the PNG to write.
    """
    labels = report.labels or {"": report.metrics()}
    fields = {
        field
        for metrics in labels.values()
        for field in metrics.get("groups", {})
    }
    with styled([*labels, *fields]):
        _draw(report, labels).savefig(path)


def _draw(report: Report, labels: dict[str, dict[str, Any]]) -> Figure:
    history = report.history
    epochs = range(1, len(history["loss"]) + 1)
    is_clipped = any(history["clipped_share"])
    figure = Figure(figsize=(14 if is_clipped else 10, 4.4))
    panels = figure.subplots(1, 3 if is_clipped else 2)
    loss, auc = panels[:2]
    loss.plot(epochs, history["loss"], "o-", label="training (with l2)")
    loss.set_title("log-loss")
    auc.set_title("AUC")
    for number, (label, metrics) in enumerate(labels.items()):
        _draw_label(report, label, metrics, f"C{number + 1}", loss, auc)
    if report.best_epoch is not None:
        for axes in (loss, auc):
            axes.axvline(
                report.best_epoch, color="gray", alpha=0.5, label="best epoch"
            )
    for axes in (loss, auc):
        axes.legend(fontsize=9 if len(labels) > 1 else 10)
    for clipped in panels[2:]:
        clipped.plot(
            epochs, [100 * share for share in history["clipped_share"]], "o-C2"
        )
        clipped.set_title("clipped rows, % of those present")
        clipped.set_ylim(bottom=0)
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(
        f"{report.model}, {report.batches}, rule "
        f"{report.hyperparameters['rule']}, {report.backend}"
    )
    return figure


def _draw_label(
    report: Report,
    label: str,
    metrics: dict[str, Any],
    color: str,
    loss: Axes,
    auc: Axes,
) -> None:
    """Draws the curves of a label, which is `""` if it is the only one."""
    history, bayes = report.history, report.best_possible(label)
    epochs = range(1, len(history["loss"]) + 1)
    prefix = f"val_{label}_" if label else "val_"
    suffix = f", {drawable(label)}" if label else ""
    for axes, name in ((loss, "log_loss"), (auc, "auc")):
        if values := history.get(prefix + name):
            text = f"validation{suffix}"
            axes.plot(epochs, values, "o-", color=color, label=text)
    for field in metrics.get("groups", {}):
        if values := history.get(f"{prefix}gauc_{field}"):
            text = f"by {drawable(field)}{suffix}"
            auc.plot(epochs, values, "o:", color=color, label=text)
    auc.plot(
        report.best_epoch or epochs[-1],
        metrics["auc"],
        "*",
        color=color if label else "C3",
        markersize=12,
        label=f"{report.evaluated_on}{suffix}",
    )
    for axes, name in ((loss, "log_loss"), (auc, "auc")):
        if name in bayes:
            axes.axhline(
                bayes[name],
                color=color if label else "gray",
                linestyle="--",
                label=f"best possible{suffix}",
            )
