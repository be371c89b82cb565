"""Holds and writes the results of a study."""

import json
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.files.csv_table import write_table
from zoo.files.whole_output import atomic_output
from zoo.training.recipe import Recipe
from zoo.training.recipe_file import RecipeFile
from zoo.tuning.search_space import SearchSpace
from zoo.tuning.search_space import changed_settings
from zoo.tuning.trial_store import OUTCOME

TABLE_FILE = "study.csv"
RECIPE_FILE = "best_recipe.json"
COMPLETE = "complete"
PRUNED = "pruned"
FAILED = "failed"


@dataclass(frozen=True)
class TuningResult:
    """Holds the best recipe of a study, and all of its trials.

    Attributes:
        recipe: `zoo.Recipe` of the best trial.
        auc: float, the validation AUC of that trial.
        trials: list of dicts, the lines of `study.csv`: `trial` counts from 1;
            `outcome` is `"complete"`, `"pruned"` or `"failed"`; `auc` is the
            last validation AUC, or `None`; `epochs` and `seconds` are those of
            the trial; `reason` says why a trial failed; the others are the
            settings that the study varies.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    result = zoo.tune(log, "tuned", model="fm", trials=2, epochs=1)
    zoo.train(log, "runs/best", **vars(result.recipe))
    ```
    """

    recipe: Recipe
    auc: float
    trials: list[dict[str, Any]]


def row_of(number: int, trial: Any, space: SearchSpace) -> dict[str, Any]:
    """Returns a trial's line in `study.csv`.

    Args:
        number: integer, from 1.
        trial: `optuna.trial.FrozenTrial` that ended.
        space: `SearchSpace` of the study.
    """
    facts = trial.user_attrs
    outcome = facts[OUTCOME]
    return {
        "trial": number,
        "outcome": outcome,
        # Optuna has the last one that a failed trial reported.
        "auc": None if outcome == FAILED else trial.value,
        "epochs": facts.get("epochs"),
        "seconds": facts.get("seconds"),
        "reason": facts.get("reason"),
        **space.read(trial.params),
    }


def best_row(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns the line of the first complete trial with the highest AUC."""
    complete = [row for row in rows if row["outcome"] == COMPLETE]
    return max(complete, key=lambda row: row["auc"], default=None)


def recipe_of(row: dict[str, Any], space: SearchSpace) -> Recipe:
    """Returns the recipe of a trial, by its line in `study.csv`."""
    return space.recipe({name: row[name] for name in space.candidates})


def write_results(
    rows: list[dict[str, Any]],
    space: SearchSpace,
    data: str,
    folder: Path,
) -> None:
    """Writes the table, and the best recipe as soon as there is one.

    Args:
        rows: the lines of the table.
        space: `SearchSpace` of the study.
        data: string, the name of the log.
        folder: path of the study.
    """
    if not rows:
        return
    write_table(rows, folder / TABLE_FILE)
    best = best_row(rows)
    if best is None:
        return
    content = RecipeFile(
        description=f"The best of {len(rows)} trials of zoo.tune, number "
        f"{best['trial']}, with an AUC of {best['auc']:.6f} on the validation "
        "split.",
        data=data,
        prepare="",
        recipe=changed_settings(recipe_of(best, space)),
        published={},
    )
    with atomic_output(folder / RECIPE_FILE) as path:
        path.write_text(json.dumps(asdict(content), indent=2) + "\n")
