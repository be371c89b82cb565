import json
from pathlib import Path
from typing import Annotated
from typing import Any

import typer
from rich.console import Console

from zoo.cli.interruption import explaining_interruption
from zoo.cli.options import Data
from zoo.cli.options import open_log
from zoo.cli.recipe_options import add_recipe_options
from zoo.cli.tables import tuning_table
from zoo.runtime.memory import keep_freed_memory


@add_recipe_options()
def tune(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for study.csv, study.png and best_recipe.json, which "
            "the command train takes as --recipe. An interrupted study "
            "resumes there.",
        ),
    ],
    data: Data = None,
    trials: Annotated[
        int,
        typer.Option(min=1, help="Number of trials, of all calls together."),
    ] = 20,
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="A setting of the recipe or an argument of the network, and "
            "what to try: dropout=0.0:0.3, num_cross_layers=1:6 (integers), "
            "learning_rate=1e-4:1e-2:log, or choices, as in rule=cowclip,none "
            "and hidden_units=[64],[64,32]. May be given several times. "
            "Default: learning_rate, embedding_learning_rate, embedding_l2, "
            "and what the network declares.",
            metavar="<name=low:high>",
            show_default=False,
        ),
    ] = None,
    **settings: Any,
) -> None:
    """Search for the recipe with the highest AUC on the validation split.

    Options of the recipe that are given are fixed, and not searched for.
    """
    from zoo.tuning.results import RECIPE_FILE
    from zoo.tuning.study import FIGURE_FILE
    from zoo.tuning.study import tune as tune_recipe
    from zoo.tuning.trial_store import import_optuna

    # It says what to install before a log is made or read.
    import_optuna()
    params = dict(map(_read_param, param or []))
    fixed = {
        name: value
        for name, value in settings.items()
        if context.get_parameter_source(name).name != "DEFAULT"
    }
    keep_freed_memory()
    log = open_log(data)
    with explaining_interruption(
        lambda: f"Run the same command to resume the study in {output}"
    ):
        result = tune_recipe(log, output, params=params, trials=trials, **fixed)
    Console().print(tuning_table(result))
    print(f"Best recipe: {output / RECIPE_FILE}")
    print(f"Figure: {output / FIGURE_FILE}")


def _read_param(text: str) -> tuple[str, Any]:
    """Returns the name of a setting, and what `zoo.tune` takes for it."""
    name, equals, values = text.partition("=")
    if name and equals and values:
        choices = _choices(values)
        if len(choices) > 1:
            return name, choices
        parts: list[Any] = values.split(":")
        log = parts[2:]
        if len(parts) > 1 and log in ([], ["log"]):
            try:
                return name, (*map(json.loads, parts[:2]), *log)
            except ValueError:
                pass
    raise typer.BadParameter(
        "`--param` must be a setting with a range or choices, such as "
        "dropout=0.0:0.3, learning_rate=1e-4:1e-2:log or rule=cowclip,none. A "
        f"single value is an option of its own. Received: {text}"
    )


def _choices(text: str) -> list[Any]:
    """Reads `[64],[64,32]` as JSON, and `cowclip,none` as texts."""
    try:
        return json.loads(f"[{text}]")
    except ValueError:
        return [_value(part) for part in text.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
