import shutil
import time
from pathlib import Path
from typing import Any

from zoo.checks import check_boolean
from zoo.checks import check_instance
from zoo.checks import check_path
from zoo.checks import check_positive_integer
from zoo.data.encoded_log import EncodedLog
from zoo.metrics import TrainingDivergedError
from zoo.runtime.out_of_memory import OutOfMemoryError
from zoo.training.training_batches import hash_of_first_batch
from zoo.training.training_batches import make_training_batches
from zoo.tuning.figure import plot_study
from zoo.tuning.progress import TuningProgress
from zoo.tuning.recipe_check import RecipeRefusedError
from zoo.tuning.recipe_check import checked_recipe
from zoo.tuning.results import COMPLETE
from zoo.tuning.results import FAILED
from zoo.tuning.results import PRUNED
from zoo.tuning.results import TuningResult
from zoo.tuning.results import best_row
from zoo.tuning.results import recipe_of
from zoo.tuning.results import row_of
from zoo.tuning.results import write_results
from zoo.tuning.search_space import SearchSpace
from zoo.tuning.trial_run import run_trial
from zoo.tuning.trial_store import RUNS_FOLDER
from zoo.tuning.trial_store import TrialStore

FIGURE_FILE = "study.png"


def tune(
    log: EncodedLog,
    output: str | Path,
    model: str = "deepfm",
    trials: int = 20,
    params: dict[str, Any] | None = None,
    verbose: bool = True,
    **recipe: Any,
) -> TuningResult:
    """Searches for the recipe with the highest AUC on the validation split.

    Optuna's TPE chooses the settings of each trial. The first trial has those
    of the recipe as it is. Once five trials have been trained to their end,
    a trial ends early where its best AUC so far is below the median of the
    others at the same epoch. A trial counts as a bad one if it diverges, does
    not fit into the memory, or has settings that its network refuses together.

    A study that was broken off resumes when it is called again with the same
    arguments, and has the same trials as one that was not. The trial that was
    under way resumes from its last checkpoint. A call with more `trials` adds
    the missing ones.

    The test split is not read: evaluate the model of the best recipe on it.

    Args:
        log: `EncodedLog`, from a folder or synthetic, with a validation split.
        output: path of the folder to write: `study.csv` with a line for each
            trial, `study.png`, and the best recipe as `best_recipe.json`, which
            `python -m zoo train --recipe` takes. `study.db` is the database of
            Optuna. No trial keeps its model.
        model: string, of `zoo.list_models()`. Defaults to `"deepfm"`.
        trials: integer, the trials of all calls together. Defaults to `20`.
        params: dict of settings of `zoo.Recipe` or arguments of the network,
            each with `(low, high)`, which are integers if both ends are,
            `(low, high, "log")`, or a list of values. Defaults to `None`,
            what the network declares in `SEARCH_SPACE` and `learning_rate`,
            `embedding_learning_rate` and `embedding_l2`. These are varied
            beside those in `params`.
        verbose: boolean. Prints a line for each trial. Defaults to `True`.
        **recipe: arguments of `zoo.Recipe`, which are the same in all trials.
            They are not varied, even if the network declares them.

    Returns:
        `TuningResult`: the best recipe, its AUC, and the lines of `study.csv`.

    Raises:
        ImportError: if Optuna is not installed.
        ValueError: for an argument out of its range, a setting that does not
            exist or is fixed as well, values that the network refuses, a log
            without a validation split, an `output` with another study, or if
            no trial came to its end.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    result = zoo.tune(
        log,
        "tuned",
        model="dcn",
        trials=3,
        params={"num_cross_layers": (1, 4), "hidden_units": [(64,), (64, 32)]},
        epochs=1,
    )
    result.recipe.network
    ```

    Reference:
    - [Akiba et al., 2019](https://arxiv.org/abs/1907.10902), Optuna.
    - [Bergstra et al., 2011](https://papers.nips.cc/paper/4443), TPE.
    """
    check_instance("log", log, EncodedLog)
    check_path("output", output)
    check_positive_integer("trials", trials)
    check_boolean("verbose", verbose)
    if "validation" not in log.splits:
        raise ValueError(
            "`log` must have a validation split, by which recipes are chosen. "
            f"Received: log with the splits {list(log.splits)}"
        )
    name = log.encoder.log_format.name if log.encoder else None
    space = SearchSpace(params, {"model": model, **recipe}, name)
    for values in ({}, *space.values_at_ends()):
        checked_recipe(log, space, values)
    folder = Path(output)
    first = space.first_recipe
    with (
        TrialStore(folder, _identity(log, space), first.seed) as store,
        TuningProgress(trials, verbose) as progress,
    ):
        while True:
            rows = [
                row_of(number, trial, space)
                for number, trial in enumerate(store.ended(), 1)
            ]
            write_results(rows, space, name or log.source, folder)
            progress.show(rows)
            if len(rows) >= trials:
                break
            _run_next(log, space, store, folder / RUNS_FOLDER)
        shutil.rmtree(folder / RUNS_FOLDER, ignore_errors=True)
    best = _best_of(rows)
    plot_study(
        rows, space, f"{first.model}, {log.source}", folder / FIGURE_FILE
    )
    return TuningResult(recipe_of(best, space), best["auc"], rows)


def _run_next(
    log: EncodedLog, space: SearchSpace, store: TrialStore, runs: Path
) -> None:
    """Runs the next trial, and stores how it ended."""
    folder = runs / f"trial_{len(store.ended()) + 1}"
    start = time.perf_counter()
    trial = store.begin(space.first_values())
    facts: dict[str, Any] = {}
    try:
        recipe = checked_recipe(log, space, space.suggest(trial))
        run = run_trial(log, recipe, trial, folder)
        outcome = PRUNED if run.is_pruned else COMPLETE
        facts["epochs"] = run.epochs
    except (
        RecipeRefusedError,
        TrainingDivergedError,
        OutOfMemoryError,
    ) as error:
        outcome = FAILED
        facts["reason"] = str(error)
    facts["seconds"] = time.perf_counter() - start
    auc = run.auc if outcome == COMPLETE else None
    store.end(trial, outcome, auc, **facts)
    shutil.rmtree(folder, ignore_errors=True)


def _identity(log: EncodedLog, space: SearchSpace) -> dict[str, Any]:
    """Returns what must be the same in all calls for a folder."""
    recipe = space.first_recipe
    batches = make_training_batches(log, recipe)
    return {
        "model": recipe.model,
        "batch_size": recipe.batch_size,
        **recipe.hyperparameters(),
        "params": space.to_json(),
        "rows": {name: len(split) for name, split in log.splits.items()},
        "first_batch": hash_of_first_batch(batches),
    }


def _best_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    best = best_row(rows)
    if best is None:
        raise ValueError(
            "A study must have a trial that comes to its end: lower the "
            "learning rates in `params`, or choose smaller networks. Received: "
            f"{len(rows)} trials that failed, the last one with: "
            f"{rows[-1]['reason']}"
        )
    return best
