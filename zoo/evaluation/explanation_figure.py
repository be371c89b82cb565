"""Plots explanations."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zoo.evaluation.permutation_importance import NOISE_DEVIATIONS
from zoo.runtime.elision import width
from zoo.runtime.figure_style import styled
from zoo.runtime.figure_text import drawable

# More bars would be too small to read; the JSON has all columns.
MOST_COLUMNS = 120
_COLORS = {"categorical": "C0", "dense": "C2", "sequence": "C4"}
_NOISE_COLOR = "lightgray"
_TITLE = 120  # Letters that fit above the panels.
# Probabilities at which the axis of log-odds may have a tick.
_TICKS = np.array(
    [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97,
     0.99, 0.999, 0.9999, 0.99999]
)  # fmt: skip


def plot_explanation(report: dict[str, Any], path: str | Path) -> None:
    """Draws importance, calibration and scores, a panel each.

    Args:
        report: as returned by `zoo.explain`.
        path: of the PNG to write.
    """
    columns = [found["column"] for found in report["importance"]]
    with styled([*columns, report["preset"], report["data"]]):
        _draw_explanation(report, path)


def _draw_explanation(report: dict[str, Any], path: str | Path) -> None:
    shown = report["importance"][:MOST_COLUMNS]
    height = max(7.5, 1.6 + 0.27 * len(shown))
    figure = Figure(figsize=(15, height), layout="constrained")
    # The panels on the right keep their shape for any number of bars.
    panel = min(height / 2, 5.5)
    heights = [panel, panel]
    if height > 2 * panel:
        heights.append(height - 2 * panel)
    grid = figure.add_gridspec(
        len(heights), 2, width_ratios=[1.1, 1], height_ratios=heights
    )
    _plot_importance(figure.add_subplot(grid[:, 0]), shown, report)
    _plot_calibration(figure.add_subplot(grid[0, 1]), report)
    _plot_scores(figure.add_subplot(grid[1, 1]), report["scores"])
    error = report["auc_standard_error"]
    title = (
        f"{report['model']} of {drawable(Path(report['preset']).name)} on "
        f"{report['rows']:,} {report['split']} rows of "
        f"{drawable(Path(report['data']).name)}"
        + (f", {drawable(report['label'])}:" if "label" in report else ":")
    )
    metrics = (
        f"AUC {report['auc']:.4f}"
        + ("" if error is None else f" ± {error:.4f}")
        + f", log-loss {report['log_loss']:.4f}"
    )
    fits = width(f"{title} {metrics}") <= _TITLE
    figure.suptitle(f"{title} {metrics}" if fits else f"{title}\n{metrics}")
    figure.savefig(path)


def _plot_importance(
    axes: Any, shown: list[dict[str, Any]], report: dict[str, Any]
) -> None:
    places = np.arange(len(shown))
    axes.barh(
        places,
        [found["auc_drop"] for found in shown],
        xerr=[
            NOISE_DEVIATIONS * found["auc_drop_deviation"] for found in shown
        ],
        color=[
            _NOISE_COLOR if found["within_noise"] else _COLORS[found["kind"]]
            for found in shown
        ],
        error_kw={"elinewidth": 1, "capsize": 2, "ecolor": "0.25"},
        height=0.75,
    )
    axes.set_yticks(
        places, [drawable(found["column"]) for found in shown], fontsize=10
    )
    for label, found in zip(axes.get_yticklabels(), shown, strict=True):
        if found["within_noise"]:
            label.set_color("gray")
    # Few bars would be as thick as they are long.
    axes.set_ylim(max(len(shown), 10) - 0.4, -0.6)
    axes.axvline(0, color="0.25", linewidth=0.8)
    axes.grid(False, axis="y")
    axes.set_xlabel(
        f"AUC lost when the column is shuffled; mean of {report['repeats']}, "
        f"± {NOISE_DEVIATIONS} standard deviations"
    )
    total = len(report["importance"])
    part = f", first {len(shown)} of {total}" if len(shown) < total else ""
    axes.set_title(f"importance of the columns{part}")
    kinds = {found["kind"] for found in shown if not found["within_noise"]}
    handles = [
        Patch(color=color, label=kind)
        for kind, color in _COLORS.items()
        if kind in kinds
    ]
    if any(found["within_noise"] for found in shown):
        handles.append(Patch(color=_NOISE_COLOR, label="within the noise"))
    axes.legend(handles=handles, loc="lower right")


def _plot_calibration(axes: Any, report: dict[str, Any]) -> None:
    bins = report["calibration_bins"]
    predicted, rate, low, high = (
        np.array([bin[key] for bin in bins])
        for key in ("mean_prediction", "click_rate", "low", "high")
    )
    top = 1.05 * max(predicted.max(), high.max())
    axes.plot([0, top], [0, top], "--", color="gray", label="as predicted")
    axes.errorbar(
        predicted,
        rate,
        yerr=[rate - low, high - rate],
        fmt="o-C0",
        markersize=4,
        linewidth=1,
        elinewidth=1,
        capsize=2,
        label="click rate, with 95 % interval",
    )
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set_xlabel(f"mean prediction, {len(bins)} bins of equally many rows")
    axes.set_ylabel("click rate")
    axes.set_title(
        f"calibration: predicted / clicked {report['calibration']:.3f},\n"
        f"expected error {report['expected_calibration_error']:.4f}"
    )
    axes.legend()


def _plot_scores(axes: Any, scores: dict[str, Any]) -> None:
    edges = np.array(scores["log_odds_edges"])
    for name, color in (("non_clicks", "C6"), ("clicks", "C1")):
        counts = np.array(scores[name])
        axes.stairs(
            100 * counts / counts.sum(),
            edges,
            fill=True,
            alpha=0.55,
            color=color,
            label=f"{name.replace('_', '-')}, {counts.sum():,}",
        )
    places = np.log(_TICKS / (1 - _TICKS))
    seen = (places >= edges[0]) & (places <= edges[-1])
    if seen.sum() > 1:
        labels = [f"{tick:g}" for tick in _TICKS[seen]]
        axes.set_xticks(places[seen], labels)
        axes.set_xlabel("prediction, on the scale of log-odds")
    else:
        axes.set_xlabel("log-odds of the prediction")
    axes.set_ylabel("% of the rows of a class")
    axes.set_title("scores of clicks and non-clicks")
    axes.legend()
