"""Draws the figures of a scaling study."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.runtime.figure_style import styled
from zoo.runtime.figure_text import drawable
from zoo.runtime.figure_text import set_title
from zoo.scaling.verdict import by_batch
from zoo.scaling.verdict import curves
from zoo.scaling.verdict import label
from zoo.training.report import Report
from zoo.training.result_columns import Row
from zoo.training.result_columns import compared

AUC_FIGURE = "auc.png"
SECONDS_FIGURE = "seconds.png"
CLIPPED_FIGURE = "clipped_share.png"
_COLORS = [f"C{i}" for i in range(8)]
_MOST_IN_PANEL = 8  # Names; more would hide the curves.


def plot_metrics(rows: list[Row], path: Path) -> None:
    """Draws AUC and log-loss against the batch size, a line for each rule.

    Lines are means over the seeds, bands reach from the lowest to the highest.
    """
    with styled(_names(rows)):
        _draw_metrics(rows, path)


def _draw_metrics(rows: list[Row], path: Path) -> None:
    figure, panels = _panels(rows, lines=2)
    for model, (auc, log_loss) in panels.items():
        auc.set_title(model)
        for axes, name in ((auc, "auc"), (log_loss, "log_loss")):
            _plot_curves(axes, rows, model, partial(compared, name=name))
            axes.set_ylabel({"auc": "AUC", "log_loss": "log-loss"}[name])
        auc.set_xlabel("")
        bayes = [row["bayes_auc"] for row in rows if row["bayes_auc"]]
        if bayes:
            auc.annotate(
                f"best possible {bayes[0]:.4f}",
                (0.02, 0.03),
                xycoords="axes fraction",
                color="gray",
            )
    _legend(*(auc for auc, _ in panels.values()))
    epoch = "last epoch"
    if any(row["best_epoch_auc"] is not None for row in rows):
        epoch = "epoch of the best validation AUC"
    data = drawable(rows[0]["data"], 110)
    set_title(figure, f"{data}\n{rows[0]['evaluated_on']} split, {epoch}")
    figure.savefig(path)


def plot_seconds(rows: list[Row], path: Path) -> None:
    """Draws the seconds of training against the batch size."""
    with styled(_names(rows)):
        _draw_seconds(rows, path)


def _draw_seconds(rows: list[Row], path: Path) -> None:
    figure, panels = _panels(rows, lines=1)
    for model, (axes,) in panels.items():
        axes.set_title(model)
        _plot_curves(axes, rows, model, lambda run: run["seconds"])
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.set_ylabel("seconds to train")
        _legend(axes)
    hardware = drawable(rows[0]["hardware"], 110)
    set_title(figure, f"{hardware}, {rows[0]['backend']}")
    figure.savefig(path)


def plot_clipped_share(reports: list[Report], rule: str, path: Path) -> None:
    """Draws the share of clipped rows against the step, a line for each batch.

    A model has a panel if any of its rows was clipped.

    Args:
        reports: of the runs of one rule, one for each model and batch.
        rule: string, for the title.
        path: of the PNG to write.
    """
    with styled([rule]):
        _draw_clipped_share(reports, rule, path)


def _draw_clipped_share(reports: list[Report], rule: str, path: Path) -> None:
    models = list(
        dict.fromkeys(r.model for r in reports if any(r.clipped_curve))
    )
    figure = Figure(figsize=(5.5 * len(models), 4.4), layout="constrained")
    for axes, model in zip(
        figure.subplots(1, len(models), squeeze=False)[0], models, strict=True
    ):
        for report in sorted(reports, key=lambda r: r.embedding_batch_size):
            if report.model != model or not report.clipped_curve:
                continue
            curve = report.clipped_curve
            rows = report.rows["train"] * report.hyperparameters["epochs"]
            steps = rows / report.batch_size
            axes.plot(
                [steps * (i + 0.5) / len(curve) for i in range(len(curve))],
                100 * np.array(curve),
                label=f"batch {report.embedding_batch_size:,}",
            )
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(model)
        axes.set_xlabel("step")
        axes.set_ylabel("clipped rows, % of those present")
        _legend(axes)
    set_title(figure, drawable(rule, 110))
    figure.savefig(path)


def _panels(
    rows: list[Row], lines: int
) -> tuple[Figure, dict[str, tuple[Axes, ...]]]:
    models = list(dict.fromkeys(row["model"] for row in rows))
    figure = Figure(
        figsize=(max(7, 5 * len(models)), 3.8 * lines + 0.5),
        layout="constrained",
    )
    axes = figure.subplots(lines, len(models), squeeze=False, sharex=True)
    return figure, {m: tuple(axes[:, i]) for i, m in enumerate(models)}


def _plot_curves(
    axes: Axes,
    rows: list[Row],
    model: str,
    value: Callable[[Row], Any],
) -> None:
    all_curves = curves(rows)
    # The style's colours, or as many pairs of a dark and a light one.
    palette = [*colormaps["tab20"](range(20))]
    if len(all_curves) <= len(_COLORS):
        palette = _COLORS
    for number, curve in enumerate(all_curves):
        color = palette[number % len(palette)]
        points = [
            (batch_size, values)
            for batch_size, runs in by_batch(rows, model, curve).items()
            if None not in (values := [value(run) for run in runs])
        ]
        if not points:
            continue
        batch_sizes = [batch_size for batch_size, _ in points]
        axes.plot(
            batch_sizes,
            [sum(values) / len(values) for _, values in points],
            "o-",
            color=color,
            markersize=4,
            label=drawable(label(curve)),
        )
        axes.fill_between(
            batch_sizes,
            [min(values) for _, values in points],
            [max(values) for _, values in points],
            color=color,
            alpha=0.15,
        )
    axes.set_xscale("log", base=2)
    axes.set_xlabel("batch size")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1024:g}K")


def _names(rows: list[Row]) -> list[str]:
    """The names that users chose, and that of the machine."""
    names = [rows[0]["data"], rows[0]["hardware"]]
    return [*names, *map(label, curves(rows))]


def _legend(*panels: Axes) -> None:
    """Names in the first panel the curves of all of them."""
    lines = {line.get_label(): line for axes in panels for line in axes.lines}
    if not lines:  # All runs may have diverged.
        return
    if len(lines) <= _MOST_IN_PANEL:
        panels[0].legend(handles=[*lines.values()], fontsize=10)
    else:
        panels[0].figure.legend(
            handles=[*lines.values()],
            fontsize=10,
            loc="outside right upper",
        )
