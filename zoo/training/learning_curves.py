"""Draws the learning curves of a training run."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.training.report import Report


def plot_learning_curves(report: Report, path: str | Path) -> None:
    """Draws loss, AUC and the clipped share against the epoch.

    Curves of the validation split are drawn if there was one.

    Args:
        report: `Report` of the run.
        path: of the PNG to write.
    """
    history = report.history
    epochs = range(1, len(history["loss"]) + 1)
    bayes = report.bayes or {}
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    loss, auc, clipped = figure.subplots(1, 3)
    loss.plot(epochs, history["loss"], "o-", label="training (with l2)")
    loss.set_title("log-loss")
    for axes, key in ((loss, "val_log_loss"), (auc, "val_auc")):
        if key in history:
            axes.plot(epochs, history[key], "o-C1", label="validation")
    auc.plot(
        epochs[-1],
        report.auc,
        "*C3",
        markersize=12,
        label=report.evaluated_on,
    )
    auc.set_title("AUC")
    for axes, key in ((loss, "log_loss"), (auc, "auc")):
        if key in bayes:
            axes.axhline(
                bayes[key], color="gray", linestyle="--", label="best possible"
            )
        axes.legend()
    clipped.plot(
        epochs, [100 * share for share in history["clipped_share"]], "o-C2"
    )
    clipped.set_title("clipped rows, % of those present")
    clipped.set_ylim(bottom=0)
    for axes in (loss, auc, clipped):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.suptitle(
        f"{report.model}, {report.batches}, rule "
        f"{report.hyperparameters['rule']}, {report.backend}"
    )
    figure.savefig(path, dpi=110)
