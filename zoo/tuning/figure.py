"""Draws the trials of a study."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from matplotlib.ticker import MaxNLocator
from matplotlib.ticker import NullFormatter

from zoo.runtime.figure_style import styled
from zoo.runtime.figure_text import drawable
from zoo.runtime.figure_text import set_title
from zoo.tuning.candidates import Candidates
from zoo.tuning.candidates import Range
from zoo.tuning.results import COMPLETE
from zoo.tuning.results import PRUNED
from zoo.tuning.results import best_row
from zoo.tuning.search_space import SearchSpace

Row = dict[str, Any]
_COLUMNS = 3
_LETTERS_OF_PANEL = 36
# The marks of trials with an AUC, by what became of them.
_MARKS: dict[str, dict[str, Any]] = {
    PRUNED: {"marker": "o", "facecolors": "none", "edgecolors": "C0"},
    COMPLETE: {"marker": "o", "color": "C0"},
}


def plot_study(
    rows: list[Row], space: SearchSpace, title: str, path: Path
) -> None:
    """Draws the AUC by trial, and against each setting that is varied.

    Args:
        rows: the lines of `study.csv`, one of them complete.
        space: `SearchSpace` of the study.
        title: string, what was tuned on which log.
        path: of the PNG to write.
    """
    with styled([title, *map(str, rows)]):
        _draw(rows, space, title).savefig(path)


def _draw(rows: list[Row], space: SearchSpace, title: str) -> Figure:
    count = 1 + len(space.candidates)
    columns = min(_COLUMNS, count)
    lines = math.ceil(count / columns)
    figure = Figure(
        figsize=(4.8 * columns, 3.6 * lines + 0.6), layout="constrained"
    )
    panels = [figure.add_subplot(lines, columns, i + 1) for i in range(count)]
    _plot_trials(panels[0], rows)
    settings = space.candidates.items()
    for axes, (name, candidates) in zip(panels[1:], settings, strict=True):
        _plot_setting(axes, rows, name, candidates)
    for axes in panels[::columns]:
        axes.set_ylabel("validation AUC")
    # Below, where it hides no trial.
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    set_title(figure, drawable(title, 110))
    return figure


def _plot_trials(axes: Axes, rows: list[Row]) -> None:
    _scatter(axes, rows, [row["trial"] for row in rows])
    complete = [row for row in rows if row["outcome"] == COMPLETE]
    best = itertools.accumulate((row["auc"] for row in complete), max)
    axes.step(
        [*(row["trial"] for row in complete), len(rows)],
        [*best, best_row(rows)["auc"]],  # type: ignore[index]
        where="post",
        color="C1",
        label="best so far",
    )
    failed = [row["trial"] for row in rows if row["auc"] is None]
    if failed:
        axes.plot(
            failed,
            [0.03] * len(failed),
            "xC6",
            transform=axes.get_xaxis_transform(),
            label="failed",
        )
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _plot_setting(
    axes: Axes, rows: list[Row], name: str, candidates: Candidates
) -> None:
    axes.set_xlabel(drawable(name))
    if isinstance(candidates, Range):
        _scatter(axes, rows, [row[name] for row in rows])
        _set_scale(axes, candidates)
        return
    values = list(candidates.values)
    _scatter(axes, rows, [values.index(row[name]) for row in rows])
    widest = _LETTERS_OF_PANEL // len(values)
    texts = [drawable(_text(value), max(widest, 4)) for value in values]
    axes.set_xticks(range(len(values)), texts)
    axes.set_xlim(-0.5, len(values) - 0.5)


def _set_scale(axes: Axes, candidates: Range) -> None:
    """Shows the whole range, with ticks that do not touch each other."""
    low, high = candidates.low, candidates.high
    if candidates.log:
        axes.set_xscale("log")
        margin = (high / low) ** 0.05
        axes.set_xlim(low / margin, high * margin)
        axes.xaxis.set_minor_formatter(NullFormatter())
        if high < 100 * low:
            # There may be no power of ten in it.
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
        return
    margin = 0.05 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    if isinstance(low, int):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _scatter(axes: Axes, rows: list[Row], places: list[float]) -> None:
    best = best_row(rows)
    for outcome, marks in _MARKS.items():
        points = [
            (place, row["auc"])
            for place, row in zip(places, rows, strict=True)
            if row["outcome"] == outcome and row["auc"] is not None
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), label=outcome, **marks)
    axes.plot(
        [p for p, row in zip(places, rows, strict=True) if row is best],
        [best["auc"]],  # type: ignore[index]
        "*C1",
        markersize=13,
        label="best",
    )


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "-".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
