"""Explains models: feature importance, calibration, score histograms."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.checks import check_choice
from zoo.checks import check_instance
from zoo.checks import check_integer
from zoo.checks import check_path
from zoo.data.click_batches import ClickBatches
from zoo.data.encoded_log import EncodedLog
from zoo.data.row_sample import rows_with_label
from zoo.data.row_sample import sample_rows
from zoo.data.split import Split
from zoo.devices.devices import PREDICTED_ROWS
from zoo.evaluation.evaluation import model_for_log
from zoo.evaluation.explanation_figure import plot_explanation
from zoo.evaluation.permutation_importance import Column
from zoo.evaluation.permutation_importance import columns_of
from zoo.evaluation.permutation_importance import labels_of
from zoo.evaluation.permutation_importance import measure_importance
from zoo.evaluation.permutation_importance import predict_split
from zoo.files.whole_folder import atomic_folder
from zoo.files.whole_folder import check_replaceable
from zoo.metrics import auc_standard_error
from zoo.metrics import calibration_bins
from zoo.metrics import exact_metrics
from zoo.runtime.environment import describe_environment
from zoo.runtime.progress import Stages

EXPLANATION_FILE = "explanation.json"
FIGURE_FILE = "explanation.png"
MARKERS = (EXPLANATION_FILE, FIGURE_FILE)
_HISTOGRAM_BINS = 40


def explain(
    preset: str | os.PathLike | keras.Model,
    log: EncodedLog,
    output: str | os.PathLike | None = None,
    split: str = "test",
    rows: int = 100_000,
    repeats: int = 5,
    seed: int = 0,
    show_progress: bool | None = None,
    label: str | None = None,
    overwrite: bool = False,
    **hub: Any,
) -> dict[str, Any]:
    """Explains a trained model: its columns, its calibration, its scores.

    The importance of a column is the AUC that the model loses when the values
    of the column are shuffled between the rows. It measures what the model
    uses, not what could be learned from the column: of two columns with the
    same information, the model may use either. It takes
    `columns * repeats + 1` passes of prediction over the rows. A sample of a
    split is held in memory, 4 bytes a column and row; a whole split stays in
    its files.

    Args:
        preset: name of a built-in preset, path of a folder, or
            `"hf://user/repository"`, as `zoo.from_preset` takes it; or a
            `keras.Model` that fits the log.
        log: `EncodedLog` with the schema the model was trained on.
        output: path of the folder to write, `explanation.json` and
            `explanation.png`. Defaults to `None`, which writes nothing.
        split: string, `"train"`, `"validation"` or `"test"`. Defaults to
            `"test"`.
        rows: integer. Maximum number of rows; a larger split is sampled.
            Defaults to `100_000`.
        repeats: integer, at least 2. Shuffles of each column. Defaults to `5`.
        seed: integer, not negative. For the sample and the shuffles.
            Defaults to `0`.
        show_progress: boolean. Whether to draw a progress bar on stderr;
            `None` for terminals only. Defaults to `None`.
        label: string. The label to explain, of several; rows without it are
            left out. Defaults to `None`, the first.
        overwrite: boolean. Whether the folder of an earlier call is replaced.
            Defaults to `False`.
        **hub: `revision`, `token` and `cache_dir`, as `zoo.from_preset` takes
            them.

    Returns:
        What `explanation.json` holds: the metrics of the rows with the
        standard error of the AUC; `importance`, a dict a column, those with
        the largest `auc_drop` first, as `measure_importance` returns them;
        `calibration_bins`, as the function of `zoo.metrics` of that name does;
        `scores`, the histogram of clicks and non-clicks; and the backend,
        versions and hardware.

    Raises:
        FileNotFoundError: if the preset or one of its files is missing.
        ValueError: if an argument is out of its range, the split does not
            exist or lacks clicks or non-clicks, the model was trained on
            another schema, or `output` holds something else.

    Example:

    ```python
    log = zoo.EncodedLog.load("encoded/criteo")
    report = zoo.explain("runs/criteo", log, "runs/criteo-explained")
    report["importance"][0]["column"]
    ```
    """
    check_instance("log", log, EncodedLog)
    if output is not None:
        check_path("output", output)
        check_replaceable(output, MARKERS, overwrite)
    check_integer("rows", rows, 1)
    check_integer("repeats", repeats, 2)
    check_integer("seed", seed, 0)
    whole = log.split(split)
    label = log.schema.label if label is None else label
    check_choice("label", label, log.schema.labels)
    number = log.schema.labels.index(label)
    network = model_for_log(preset, log, **hub)
    with _open(output, overwrite) as folder:
        sample = _sample(whole, split, rows, seed, number)
        report = {
            "preset": _name_of(preset),
            "data": log.source,
            "split": split,
            "split_rows": len(whole),
            **({"label": label} if len(log.schema.labels) > 1 else {}),
            **_measure(
                network,
                sample,
                columns_of(log.schema),
                number,
                repeats,
                seed,
                show_progress,
            ),
            **describe_environment(),
        }
        if folder is not None:
            text = json.dumps(report, indent=2, allow_nan=False)
            (folder / EXPLANATION_FILE).write_text(text + "\n")
            plot_explanation(report, folder / FIGURE_FILE)
    return report


def _name_of(preset: str | os.PathLike | keras.Model) -> str:
    return preset.name if isinstance(preset, keras.Model) else str(preset)


def _open(
    output: str | os.PathLike | None, overwrite: bool
) -> contextlib.AbstractContextManager[Path | None]:
    if output is None:
        return contextlib.nullcontext()
    return atomic_folder(output, MARKERS, overwrite)


def _sample(split: Split, name: str, rows: int, seed: int, label: int) -> Split:
    sample = rows_with_label(sample_rows(split, rows, seed), label)
    labels = np.unique(labels_of(sample, label)).tolist()
    if labels != [0, 1]:
        raise ValueError(
            "`split` must have clicks and non-clicks among the sampled rows: "
            "take more `rows` or another split. "
            f"Received: split={name!r} with labels={labels} in {len(sample)} "
            f"of its {len(split)} rows"
        )
    return sample


def _measure(
    network: keras.Model,
    sample: Split,
    columns: list[Column],
    label: int,
    repeats: int,
    seed: int,
    show_progress: bool | None,
) -> dict[str, Any]:
    batches = ClickBatches(sample, PREDICTED_ROWS)
    passes = 1 + repeats * len(columns)
    labels = labels_of(sample, label)
    with Stages(show_progress) as stages:
        stages.start("Shuffling columns", total=passes * len(batches))
        scores = predict_split(network, batches, stages.advance, label)
        metrics = exact_metrics(labels, scores)
        importance = measure_importance(
            network,
            columns,
            batches,
            metrics,
            repeats,
            seed,
            stages.advance,
            label,
        )
    calibrated = calibration_bins(labels, scores)
    return {
        "model": type(network).__name__,
        "rows": len(sample),
        "repeats": int(repeats),
        "seed": int(seed),
        **metrics,
        "auc_standard_error": auc_standard_error(labels, scores),
        "click_rate": calibrated["click_rate"],
        "mean_prediction": calibrated["mean_prediction"],
        "expected_calibration_error": calibrated["expected_calibration_error"],
        "importance": importance,
        "calibration_bins": calibrated["bins"],
        "scores": _score_histogram(labels, scores),
    }


def _score_histogram(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """Counts the rows of each class in bins of equal width in log-odds."""
    # Probabilities that float32 rounds to 0 or 1 have infinite log-odds.
    clipped = scores.astype("float64").clip(1e-7, 1 - 1e-7)
    log_odds = np.log(clipped / (1 - clipped))
    edges = np.histogram_bin_edges(log_odds, _HISTOGRAM_BINS)
    counts = {
        name: np.histogram(log_odds[labels == label], edges)[0].tolist()
        for name, label in (("clicks", 1), ("non_clicks", 0))
    }
    return {"log_odds_edges": edges.tolist(), **counts}
