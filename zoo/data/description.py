"""Describes encoded logs: the numbers and the figure of a data card."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.data.encoded_log import EncodedLog
from zoo.encoding.sql import MISSING_ID
from zoo.encoding.sql import UNKNOWN_ID
from zoo.feature_schema import PADDING
from zoo.runtime.elision import width
from zoo.runtime.figure_style import styled
from zoo.runtime.figure_text import drawable
from zoo.runtime.figure_text import wrapped
from zoo.runtime.progress import Stages

CARD_FILE = "data_card.png"
_LETTERS_SIDE_BY_SIDE = 130  # Of the size of a tick's label.
_INCHES_PER_LETTER = 0.075  # Of the height of a name that is turned.


def describe(folder: str | Path, show_progress: bool = True) -> dict[str, Any]:
    """Describes an encoded log in one pass over its rows.

    Writes a figure beside the data, `data_card.png`.

    Args:
        folder: path of a folder written by `prepare`.
        show_progress: boolean. Whether to draw a progress bar on stderr.
            Defaults to `True`.

    Returns:
        dict with `splits` (rows and click rate of each; `click_rates` of
        several labels), `missing` (the share of rows in which a column is
        empty) and `fields`, for every field

        - `vocabulary`: number of ids, missing and unknown included;
        - `distinct`: number of ids in training rows;
        - `unseen`: per other split, the share of rows with a value that is not
          in the vocabulary;
        - `counts`: how often each id occurs in training, in falling order;

        and, if there are any, `sequences`, of which each has the same numbers
        for its events, and `mean_length`, of all rows. Missing is the share of
        training rows without events.

    Raises:
        FileNotFoundError: if the folder or one of its files is missing.
        ValueError: if the data does not fit the folder's schema.

    Example:

    ```python
    card = zoo.describe("encoded/criteo")
    card["fields"]["C3"]["unseen"]["test"]
    ```
    """
    folder = Path(folder)
    log = EncodedLog.load(folder)
    summary = json.loads((folder / "summary.json").read_text())
    counts, empty = _count_ids(log, show_progress)
    rows = {name: len(split) for name, split in log.splits.items()}
    card = {
        "source": summary["source"],
        "splits": {
            name: {
                key: split[key]
                for key in ("rows", "click_rate", "click_rates")
                if key in split
            }
            for name, split in summary["splits"].items()
        },
        "missing": summary["missing"],
        "fields": {
            field: _describe_column(counts, i)
            for i, field in enumerate(log.schema.categorical)
        },
    }
    if log.schema.sequences:
        card["sequences"] = {
            name: _describe_sequence(counts, empty, rows, name)
            for name in log.schema.sequences
        }
    plot_data_card(card, folder / CARD_FILE)
    return card


Counts = dict[str, dict[int | str, np.ndarray]]


def _count_ids(
    log: EncodedLog, show_progress: bool
) -> tuple[Counts, dict[str, dict[str, int]]]:
    """Counts how often each id of each column occurs in each split.

    Returns:
        The counts by split and column, a field's number or a sequence's name,
        and by split and sequence the rows without events.
    """
    schema = log.schema
    sizes: dict[int | str, int] = dict(enumerate(schema.vocabulary_sizes))
    for name in schema.sequences:
        sizes[name] = schema.vocabularies[schema.vocabulary_of(name)]
    counts: Counts = {}
    empty: dict[str, dict[str, int]] = {}
    with Stages(show_progress) as stages:
        for split_name, split in log.splits.items():
            stages.start(f"Counting {split_name}", len(split))
            found: dict[int | str, np.ndarray] = {
                column: np.zeros(size, "int64")
                for column, size in sizes.items()
            }
            counts[split_name] = found
            empty[split_name] = dict.fromkeys(schema.sequences, 0)
            for inputs, labels, *_ in split.blocks():
                for field in range(schema.num_fields):
                    np.add.at(found[field], inputs["ids"][:, field], 1)
                for name in schema.sequences:
                    ids = inputs[name]
                    events = ids[ids != PADDING]
                    found[name] += np.bincount(events, minlength=sizes[name])
                    rows = ids[:, -1] == PADDING
                    empty[split_name][name] += int(rows.sum())
                stages.advance(len(labels))
    return counts, empty


def _describe_sequence(
    counts: Counts,
    empty: dict[str, dict[str, int]],
    rows: dict[str, int],
    name: str,
) -> dict[str, Any]:
    train = _train_or_first(counts)
    described = _describe_column(counts, name)
    described["missing"] = empty[train][name] / rows[train]
    described["mean_length"] = float(counts[train][name].sum() / rows[train])
    return described


def _describe_column(counts: Counts, column: int | str) -> dict[str, Any]:
    train = counts[_train_or_first(counts)][column]
    known = train[UNKNOWN_ID + 1 :]
    return {
        "vocabulary": len(train),
        "distinct": int((train > 0).sum()),
        "missing": float(train[MISSING_ID] / max(train.sum(), 1)),
        "unseen": {
            name: float(split[column][UNKNOWN_ID] / max(split[column].sum(), 1))
            for name, split in counts.items()
            if name != "train"
        },
        "counts": np.sort(known[known > 0])[::-1],
    }


def _train_or_first(counts: Counts) -> str:
    # A log encoded for a test alone has no training rows.
    return "train" if "train" in counts else next(iter(counts))


def plot_data_card(card: dict[str, Any], path: str | Path) -> None:
    """Draws sizes, gaps and the frequency of ids, one panel a field.

    Args:
        card: as returned by `describe`.
        path: of the PNG to write.
    """
    with styled([*_columns(card), card["source"]]):
        _draw_data_card(card, path)


def _columns(card: dict[str, Any]) -> dict[str, Any]:
    return {**card["fields"], **card.get("sequences", {})}


def _draw_data_card(card: dict[str, Any], path: str | Path) -> None:
    fields = _columns(card)
    columns = min(7, len(fields))
    rows = -(-len(fields) // columns)
    names = [drawable(name, 24) for name in fields]
    longest = max(map(width, names))
    # Names that do not fit side by side are turned, and need height.
    turned = len(names) > 12 or len(names) * longest > _LETTERS_SIDE_BY_SIDE
    height = 3.4 + (_INCHES_PER_LETTER * max(longest - 4, 0) if turned else 0)
    figure = Figure(
        figsize=(14, height + 0.2 + 1.6 * rows), layout="constrained"
    )
    parts: Any = figure.subfigures(2, 1, height_ratios=[height, 1.6 * rows])
    top, bottom = parts
    sizes, gaps = top.subplots(2, 1, sharex=True)
    _plot_sizes(sizes, gaps, fields)
    gaps.set_xticks(np.arange(len(names)), names)
    if turned:
        gaps.tick_params("x", rotation=60)
        for tick in gaps.get_xticklabels():
            tick.set(ha="right", rotation_mode="anchor")
    bottom.suptitle(
        "occurrences in training of the ids of a field, by rank (log-log)",
        fontsize=12,
    )
    panels = list(
        bottom.subplots(
            rows, columns, sharex=True, sharey=True, squeeze=False
        ).flat
    )
    for axes, (name, field) in zip(panels, fields.items(), strict=False):
        _plot_frequencies(axes, name, field["counts"])
    # There is a labelled tick, 1, also where all counts are alike.
    panels[0].set_ylim(bottom=0.8)
    for axes in panels[len(fields) :]:
        axes.axis("off")
    splits = ", ".join(
        f"{name} {split['rows']:,} rows ({split['click_rate']:.3f} clicks)"
        for name, split in card["splits"].items()
    )
    name = drawable(Path(card["source"]).name, 60)
    figure.suptitle(wrapped(f"{name}: {splits}", 150), fontsize=13)
    figure.savefig(path)


def _plot_sizes(sizes: Any, gaps: Any, fields: dict[str, Any]) -> None:
    places = np.arange(len(fields))
    sizes.bar(places, [f["distinct"] for f in fields.values()], color="C0")
    sizes.set_yscale("log")
    sizes.set_ylabel("distinct ids\nin training")
    missing = [100 * f["missing"] for f in fields.values()]
    series = {"missing in training": missing}
    for split in next(iter(fields.values()))["unseen"]:
        series[f"unseen in {split}"] = [
            100 * f["unseen"][split] for f in fields.values()
        ]
    bar = 0.8 / len(series)
    for i, (label, values) in enumerate(series.items()):
        gaps.bar(
            places - 0.4 + (i + 0.5) * bar,
            values,
            bar,
            label=label,
            color=f"C{i + 1}",
        )
    gaps.set_ylabel("% of rows")
    # Where there are no gaps, the axis would have negative shares.
    gaps.set_ylim(0, max(1.0, gaps.get_ylim()[1]))
    # Above the panel: within it, bars may reach the top anywhere.
    gaps.legend(
        fontsize=8, ncols=len(series), loc="lower right", bbox_to_anchor=(1, 1)
    )
    for panel in (sizes, gaps):
        panel.margins(x=0.01)
        panel.grid(False, axis="x")


def _plot_frequencies(axes: Any, name: str, counts: np.ndarray) -> None:
    axes.set_title(drawable(name, 28), fontsize=8, pad=2)
    axes.tick_params(labelsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    # They are most of the time that drawing takes.
    axes.minorticks_off()
    if len(counts):
        # A few hundred points draw a curve of millions as well as all do.
        ranks = np.unique(np.geomspace(1, len(counts), 300).astype("int64"))
        marker = "." if len(ranks) < 20 else ""
        axes.plot(ranks, counts[ranks - 1], marker=marker, linewidth=1.2)
