import sys
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer
from rich.console import Console

from zoo.cli.device_options import Coordinator
from zoo.cli.device_options import DeviceCount
from zoo.cli.device_options import Process
from zoo.cli.device_options import ProcessCount
from zoo.cli.device_options import ShardTables
from zoo.cli.device_options import ending_when_lost
from zoo.cli.device_options import find_devices
from zoo.cli.failures import ending_on_useless_predictions
from zoo.cli.interruption import explaining_interruption
from zoo.cli.options import Data
from zoo.cli.options import GroupBy
from zoo.cli.options import open_log
from zoo.cli.recipe_options import add_recipe_options
from zoo.cli.recipe_options import option_values
from zoo.cli.tables import report_table
from zoo.runtime.memory import keep_freed_memory
from zoo.training.recipe import Recipe
from zoo.training.recipe_file import RecipeFile

if TYPE_CHECKING:
    from zoo.data.encoded_log import EncodedLog
    from zoo.training.report import Report


def take_recipe(context: typer.Context, name: str | None) -> str | None:
    """Makes the settings of a recipe the defaults of the other options."""
    if name is not None:
        # Imports Keras, for the checks.
        settings = option_values(RecipeFile.load(name).recipe)
        context.default_map = {**(context.default_map or {}), **settings}
    return name


@add_recipe_options()
def train(
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for the model, report.json and learning_curves.png."
        ),
    ],
    data: Data = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Settings of a published run, such as criteo_deepfm_128k: one "
            "of those that the command recipes lists, or a JSON file like "
            "theirs. Other options override them.",
            show_default=False,
            is_eager=True,
            callback=take_recipe,
        ),
    ] = None,
    initial_model: Annotated[
        str | None,
        typer.Option(
            help="Preset to continue from, such as the folder of an earlier "
            "run. Its tables grow to the data's vocabularies, and its network "
            "replaces --model.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume an interrupted run of the same options from its last "
            "checkpoint, or begin if there is none.",
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace a finished run in the folder."
        ),
    ] = False,
    checkpoint_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps between checkpoints in OUTPUT.checkpoints, which a "
            "finished run removes. Default: one an epoch.",
            show_default=False,
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write events for TensorBoard to, with the loss, "
            "the metrics and the learning rates of every epoch.",
            show_default=False,
        ),
    ] = None,
    keep_checkpoints: Annotated[
        int, typer.Option(min=1, help="Number of the last checkpoints to keep.")
    ] = 2,
    group_by: GroupBy = None,
    devices: DeviceCount = None,
    coordinator: Coordinator = None,
    process: Process = None,
    num_processes: ProcessCount = None,
    shard_tables: ShardTables = False,
    **settings: Any,
) -> None:
    """Train a network by the paper's recipe and report its exact metrics."""
    from zoo.presets.folder import CURVES_FILE
    from zoo.training.report import Report
    from zoo.training.tensorboard_events import TensorBoardEvents
    from zoo.training.training import REPORT_FILE
    from zoo.training.training import check_output
    from zoo.training.training import checkpoints_folder
    from zoo.training.training import train as train_model

    keep_freed_memory()
    recipe_file = None if recipe is None else RecipeFile.load(recipe)
    if recipe_file and recipe_file.prepare and data is None:
        raise ValueError(
            f"`--recipe` needs the log that it is for: {recipe_file.prepare}, "
            f"then `--data` with its output. Received: --recipe {recipe}"
        )
    Recipe(**settings)  # Refuses wrong ones before a log is made or read.
    check_output(output, resume, overwrite)
    callbacks = [] if tensorboard is None else [TensorBoardEvents(tensorboard)]
    checkpoints = checkpoints_folder(output)
    found = find_devices(
        devices, coordinator, process, num_processes, shard_tables
    )
    with found.failing_together():
        log = open_log(data)
        if recipe_file and data is None and log.source != recipe_file.data:
            raise ValueError(
                "`--recipe` needs the log that it is for, "
                f"{recipe_file.data}: give its folder as `--data`. "
                f"Received: --recipe {recipe}"
            )
    with ending_when_lost(), ending_on_useless_predictions():
        with explaining_interruption(lambda: _how_to_resume(checkpoints)):
            trained = train_model(
                log,
                output,
                initial_model=initial_model,
                resume=resume,
                checkpoint_steps=checkpoint_steps,
                keep_checkpoints=keep_checkpoints,
                verbose="auto" if sys.stdout.isatty() else 2,
                group_by=group_by,
                devices=found,
                callbacks=callbacks,
                overwrite=overwrite,
                **settings,
            )
        if not found.is_first:
            return
        report = Report.from_json(trained)
        published = _published(recipe_file, log, report)
        Console().print(report_table(report, published))
        print(f"Learning curves: {output / CURVES_FILE}")
        print(f"Report: {output / REPORT_FILE}")


def _how_to_resume(checkpoints: Path) -> str:
    if not any(checkpoints.glob("step-*[0-9]")):
        return ""
    return (
        "The same command with --resume resumes from the last checkpoint in "
        f"{checkpoints}"
    )


def _published(
    recipe_file: RecipeFile | None, log: "EncodedLog", report: "Report"
) -> dict[str, Any] | None:
    """Returns the published metrics of the same settings on the same log."""
    if recipe_file is None or report.initial_model:
        return None
    data = recipe_file.data
    if log.encoder is None or log.encoder.log_format.name != data:
        return None
    theirs = Recipe(**recipe_file.recipe).for_data(data)
    expected = {
        **theirs.hyperparameters(),
        "model": theirs.model,
        "batch_size": theirs.batch_size,
    }
    received = {
        **report.hyperparameters,
        "model": report.model,
        "batch_size": report.batch_size,
    }
    # Runs of other seeds are compared too.
    del expected["seed"], received["seed"]
    if received != expected:
        return None
    return recipe_file.published or None
