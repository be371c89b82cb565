import itertools
import shutil
import time
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras

from keras_cowclip.scaling import RULES
from zoo.checks import check_boolean
from zoo.checks import check_instance
from zoo.checks import check_path
from zoo.checks import check_positive_integer
from zoo.data.encoded_log import EncodedLog
from zoo.files.csv_table import write_table
from zoo.metrics import TrainingDivergedError
from zoo.scaling.figures import AUC_FIGURE
from zoo.scaling.figures import CLIPPED_FIGURE
from zoo.scaling.figures import SECONDS_FIGURE
from zoo.scaling.figures import plot_clipped_share
from zoo.scaling.figures import plot_metrics
from zoo.scaling.figures import plot_seconds
from zoo.scaling.progress import StudyProgress
from zoo.scaling.results import RESULTS_FILE
from zoo.scaling.results import RUNS_FOLDER
from zoo.scaling.results import file_part
from zoo.scaling.results import pack_runs
from zoo.scaling.results import read_runs
from zoo.scaling.results import run_name
from zoo.scaling.results import write_run
from zoo.scaling.verdict import label
from zoo.training.checkpoints import Checkpoints
from zoo.training.log_check import check_log
from zoo.training.recipe import Recipe
from zoo.training.recipe import make_recipe
from zoo.training.report import Report
from zoo.training.result_columns import Row
from zoo.training.run import Run

BATCH_SIZES = tuple(1024 * 2**n for n in range(8))


def scaling_study(
    log: EncodedLog,
    output: str | Path,
    models: Iterable[str] = ("deepfm",),
    batch_sizes: Iterable[int] = BATCH_SIZES,
    rules: Iterable[str] = RULES,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    seeds: Iterable[int] = (0,),
    verbose: bool = True,
    **recipe: Any,
) -> list[Row]:
    """Trains at many batch sizes and shows where the AUC falls.

    Every model is trained with every rule, variant, batch size and seed.
    Runs of one seed begin with the same weights and see the same rows. A study
    that was broken off resumes when it is called again with the same `output`:
    finished runs are not repeated, and the one under way resumes from its last
    checkpoint. A call with other models, rules, variants, batch sizes or seeds
    adds their runs: the results are those of all calls together.

    Args:
        log: `EncodedLog`, from a folder or synthetic.
        output: path of the folder to write: `results.csv` with a line for each
            run, `runs.jsonl.gz` with their reports, and the figures `auc.png`,
            `seconds.png` and `clipped_share.png`. While runs are under way,
            `runs/` holds their checkpoints and reports.
        models: strings, of `zoo.list_models()`.
        batch_sizes: integers, rows per step of the tables, and of the dense
            weights as well unless a variant says otherwise. Defaults to 1024
            to 131,072 by doubling.
        rules: strings, see `keras_cowclip.scale_hyperparameters`. Defaults to
            all of them. At a batch of 1024 those of the paper are one run.
        variants: dict of variants of the recipe to compare, by name: the
            arguments of `zoo.Recipe` in which each differs. Where a variant's
            `batch_size` is smaller than the study's, it is that of the dense
            weights. Defaults to `{"": {}}`, the recipe as it is.
        seeds: integers. Defaults to `(0,)`; three or more show the spread.
        verbose: boolean. Shows the progress and the time left.
        **recipe: other arguments of `zoo.Recipe`, the same for all runs, such
            as `epochs` and `hidden_units`. A `batch_size` is as in a variant.

    Returns:
        The lines of `results.csv` as dicts. A run that diverged has no metrics.
        The metrics are those on the test split or, in a log without one, on
        the validation split: `auc` and `log_loss` after the last epoch,
        `best_epoch_auc` and `best_epoch_log_loss` after the one with the
        highest validation AUC. In a log with a validation split the figures
        and `verdicts` compare those of the best epoch.

    Raises:
        ValueError: for an argument out of its range, a log without a test and
            a validation split, a batch larger than the training split, or an
            `output` with runs of another study.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    rows = zoo.scaling_study(
        log, "study", batch_sizes=[1024, 4096], rules=["cowclip"], epochs=1
    )
    ```

    Reference:
    - [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), the experiments.
    """
    check_instance("log", log, EncodedLog)
    check_path("output", output)
    check_boolean("verbose", verbose)
    name = log.encoder.log_format.name if log.encoder else None
    variants = _checked_variants(variants or {"": {}})
    for settings in (recipe, *variants.values()):
        if "batch_size" in settings:
            check_positive_integer("batch_size", settings["batch_size"])
    if "embedding_batch_size" in recipe:
        raise ValueError(
            "`embedding_batch_size` is what `batch_sizes` has: give the batch "
            "of the dense weights as `batch_size`. "
            f"Received: embedding_batch_size={recipe['embedding_batch_size']}"
        )
    runs = [
        _PlannedRun(
            make_recipe(
                model=model,
                rule=rule,
                seed=seed,
                **_at_batch(batch_size, {**recipe, **variants[variant]}),
            ).for_data(name),
            variant,
        )
        for seed, model, rule, variant, batch_size in itertools.product(
            seeds, models, rules, variants, batch_sizes
        )
    ]
    _check_runs(log, runs)
    folder = Path(output)
    found = _runs_of_earlier_calls(folder, log)
    names = {run.name for run in runs}
    earlier = [found[name] for name in found if name not in names]
    reports: list[Report] = []
    with StudyProgress([run.recipe for run in runs], verbose) as progress:
        for run in runs:
            progress.begin(run.recipe, run.variant)
            report = _finished(run, folder, found, reports)
            seconds = 0.0
            if report is None:
                report = _train(log, run, folder)
                seconds = report.wall_seconds or 0.0
            reports.append(report)
            rows = [report.row() for report in (*reports, *earlier)]
            write_table(rows, folder / RESULTS_FILE)
            progress.end(run.recipe, seconds)
    pack_runs(folder)
    _draw(rows, [*reports, *earlier], folder)
    return rows


class _PlannedRun(NamedTuple):
    recipe: Recipe
    variant: str

    @property
    def name(self) -> str:
        recipe = self.recipe
        return run_name(
            recipe.model,
            recipe.rule,
            self.variant,
            recipe.embedding_batch_size or recipe.batch_size,
            recipe.seed,
        )


def _at_batch(batch_size: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings of a recipe where tables step at `batch_size`."""
    dense = settings.get("batch_size")
    if dense is None or dense >= batch_size:
        return {**settings, "batch_size": batch_size}
    return {**settings, "embedding_batch_size": batch_size}


def _checked_variants(
    variants: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, Mapping[str, Any]]:
    file_names: dict[str, str] = {}
    for name, arguments in variants.items():
        # Some disks don't tell small letters from capitals.
        other = file_names.setdefault(file_part(name).casefold(), name)
        if other != name:
            raise ValueError(
                "Names of `variants` must differ in letters or digits, for "
                f"runs are named after them. Received: {other!r} and {name!r}"
            )
        taken = {"model", "rule", "embedding_batch_size", "seed"} & set(
            arguments
        )
        if taken:
            raise ValueError(
                "`variants` must not set what the study varies by itself. "
                f"Received: {sorted(taken)} in {name!r}"
            )
    return variants


def _check_runs(log: EncodedLog, runs: list[_PlannedRun]) -> None:
    if not runs:
        raise ValueError(
            "`models`, `batch_sizes`, `rules`, `variants` and `seeds` must "
            "each have a value. Received: no run"
        )
    largest = max(
        run.recipe.embedding_batch_size or run.recipe.batch_size for run in runs
    )
    rows = len(log.split("train"))
    if largest > rows:
        raise ValueError(
            "`batch_sizes` must not exceed the rows of the training split. "
            f"Received: {largest}, with {rows} rows"
        )
    for run in runs:
        check_log(log, run.recipe)


def _runs_of_earlier_calls(folder: Path, log: EncodedLog) -> dict[str, Report]:
    """Returns their reports by run name; raises if they are of another log."""
    found = read_runs(folder)
    rows = {name: len(split) for name, split in log.splits.items()}
    for name, report in found.items():
        if report.rows != rows:
            raise ValueError(
                "`output` has a run on other data; choose another folder. "
                f"Received: {folder}, the run {name} with rows "
                f"{report.rows}, not {rows}"
            )
    return found


def _finished(
    run: _PlannedRun,
    folder: Path,
    found: dict[str, Report],
    reports: list[Report],
) -> Report | None:
    """The report of a run that an earlier call or an equal run has done."""
    recipe = run.recipe
    wanted = recipe.hyperparameters()
    if run.name in found:
        report = found[run.name]
        if report.hyperparameters != wanted:
            raise ValueError(
                "`output` has a run of the same name from another study; "
                f"choose another folder. Received: {folder}, the run "
                f"{run.name} with {report.hyperparameters}, not {wanted}"
            )
        return report
    for report in reports:
        # At the batch that values are given for, many rules are the same.
        same = {**report.hyperparameters, "rule": recipe.rule}
        if (report.model, report.batch_size, same) == (
            recipe.model,
            recipe.batch_size,
            wanted,
        ):
            report = replace(
                report, hyperparameters=wanted, variant=run.variant
            )
            write_run(folder, report)
            return report
    return None


def _train(log: EncodedLog, planned: _PlannedRun, folder: Path) -> Report:
    path = folder / RUNS_FOLDER / f"{planned.name}.checkpoints"
    start = time.perf_counter()
    # Frees what earlier runs have compiled.
    keras.utils.clear_session()
    try:
        run = Run.begin(log, planned.recipe)
        with Checkpoints(path, run.identity()) as checkpoints:
            run.resume(checkpoints)
            run.fit(checkpoints, evaluate_best_epoch=True, verbose=0)
        report = run.report()
    except TrainingDivergedError:
        report = Report.diverged(log, planned.recipe)
    report = replace(
        report,
        variant=planned.variant,
        wall_seconds=time.perf_counter() - start,
    )
    write_run(folder, report)
    shutil.rmtree(path, ignore_errors=True)
    return report


def _draw(rows: list[Row], reports: list[Report], folder: Path) -> None:
    plot_metrics(rows, folder / AUC_FIGURE)
    plot_seconds(rows, folder / SECONDS_FIGURE)
    clipped = [
        (row["seed"], (row["rule"], row["variant"]), report)
        for row, report in zip(rows, reports, strict=True)
        if any(report.clipped_curve)
    ]
    if clipped:
        seed, curve, _ = clipped[0]
        of_curve = [r for s, c, r in clipped if (s, c) == (seed, curve)]
        plot_clipped_share(of_curve, label(curve), folder / CLIPPED_FIGURE)
