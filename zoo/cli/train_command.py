import sys
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any
from typing import Literal

import typer
from rich.console import Console

from zoo.cli.options import DEFAULT_HIDDEN_UNITS
from zoo.cli.options import Data
from zoo.cli.options import Decay
from zoo.cli.options import EmbeddingDim
from zoo.cli.options import EmbeddingL2
from zoo.cli.options import EmbeddingLearningRate
from zoo.cli.options import Epochs
from zoo.cli.options import HiddenUnits
from zoo.cli.options import LearningRate
from zoo.cli.options import WarmupEpochs
from zoo.cli.options import open_log
from zoo.cli.tables import report_table
from zoo.data.encoded_log import EncodedLog
from zoo.presets.folder import CURVES_FILE
from zoo.registry import NETWORKS
from zoo.runtime.memory import keep_freed_memory
from zoo.training.recipe import Recipe
from zoo.training.recipe_file import RecipeFile
from zoo.training.recipe_file import built_in_recipes
from zoo.training.report import Report
from zoo.training.training import REPORT_FILE
from zoo.training.training import train as train_model

if TYPE_CHECKING:
    Model = str
else:
    Model = Literal[tuple(NETWORKS)]
# Typer wants the choices spelled out; a test holds them to the registry.
Rule = Literal[
    "cowclip", "none", "sqrt", "linear", "n2_lambda", "frequency"
]  # fmt: skip


def take_recipe(context: typer.Context, name: str | None) -> str | None:
    """Makes the settings of a recipe the defaults of the other options."""
    if name is not None:
        settings = dict(RecipeFile.load(name).recipe)
        options = {option.name for option in context.command.params}
        if unknown := sorted(set(settings) - options):
            raise ValueError(
                f"`--recipe` must be of settings that `train` has options for: "
                f"use `zoo.train` for the others. Received: {unknown} in {name}"
            )
        if "clip_ratio" in settings and settings["clip_ratio"] is None:
            settings["clip_ratio"] = float("inf")
        context.default_map = {**(context.default_map or {}), **settings}
    return name


def train(
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for the model, report.json and learning_curves.png. "
            "One that an earlier run wrote is replaced."
        ),
    ],
    data: Data = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"Settings of a published run: {', '.join(built_in_recipes())}"
            ", or a JSON file like theirs. Options beside it come first.",
            show_default=False,
            is_eager=True,
            callback=take_recipe,
        ),
    ] = None,
    model: Annotated[
        Model,
        typer.Option(help="The network."),
    ] = "deepfm",
    initial_model: Annotated[
        str | None,
        typer.Option(
            help="Preset, such as the folder of an earlier run, to go on from, "
            "its tables grown to the data's vocabularies; it brings its own "
            "network.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Rows per step.")
    ] = 1024,
    epochs: Epochs = 10,
    rule: Annotated[
        Rule,
        typer.Option(
            help="How the values below, at batch 1024, follow the batch.",
        ),
    ] = "cowclip",
    learning_rate: LearningRate = None,
    embedding_learning_rate: EmbeddingLearningRate = 1e-4,
    embedding_l2: EmbeddingL2 = 1e-5,
    clip_ratio: Annotated[
        float, typer.Option(help="CowClip's r; inf switches the clip off.")
    ] = 1.0,
    clip_floor: Annotated[float, typer.Option(help="CowClip's zeta.")] = 1e-5,
    warmup_epochs: WarmupEpochs = 1.0,
    decay: Decay = "none",
    embedding_dim: EmbeddingDim = 10,
    hidden_units: HiddenUnits = None,
    dropout: Annotated[float, typer.Option()] = 0.0,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Keras' dtype policy: with mixed_bfloat16 layers compute in "
            "16 bits. Default: float32, or what the initial model has.",
            show_default=False,
        ),
    ] = None,
    lazy: Annotated[
        bool,
        typer.Option(
            "--lazy",
            help="Move only the embedding rows of the batch, by about what "
            "they missed since their last one. Another algorithm than the "
            "paper's; on TensorFlow and PyTorch a step costs no more for a "
            "larger table.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Of the weights and the order of rows.")
    ] = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the last checkpoint of a run of the same options "
            "that was broken off; begin where there is none.",
        ),
    ] = False,
    checkpoint_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps between checkpoints, which are in OUTPUT.checkpoints "
            "until the run is finished. Default: one each epoch.",
            show_default=False,
        ),
    ] = None,
    keep_checkpoints: Annotated[
        int, typer.Option(min=1, help="How many of the last ones.")
    ] = 2,
) -> None:
    """Train a network by the paper's recipe and report its exact metrics."""
    keep_freed_memory()
    if recipe is not None and data is None:
        needed = RecipeFile.load(recipe)
        raise ValueError(
            f"`--recipe` needs the log that it is for: {needed.prepare}, then "
            f"`--data` with its output. Received: --recipe {recipe}"
        )
    log = open_log(data)
    trained = train_model(
        log,
        output,
        model=model,
        initial_model=initial_model,
        batch_size=batch_size,
        epochs=epochs,
        rule=rule,
        learning_rate=learning_rate,
        embedding_learning_rate=embedding_learning_rate,
        embedding_l2=embedding_l2,
        clip_ratio=None if clip_ratio == float("inf") else clip_ratio,
        clip_floor=clip_floor,
        warmup_epochs=warmup_epochs,
        decay=decay,
        embedding_dim=embedding_dim,
        hidden_units=hidden_units or DEFAULT_HIDDEN_UNITS,
        dropout=dropout,
        dtype=dtype,
        lazy=lazy,
        seed=seed,
        resume=resume,
        checkpoint_steps=checkpoint_steps,
        keep_checkpoints=keep_checkpoints,
        verbose="auto" if sys.stdout.isatty() else 2,
    )
    report = Report.from_json(trained)
    Console().print(report_table(report, _published(recipe, log, report)))
    Console(soft_wrap=True).print(
        f"Learning curves: {output / CURVES_FILE}\n"
        f"Report: {output / REPORT_FILE}",
        highlight=False,
    )


def _published(
    recipe: str | None, log: EncodedLog, report: Report
) -> dict[str, Any] | None:
    """What others reached, if it was with these settings and on this log."""
    if recipe is None or report.initial_model:
        return None
    loaded = RecipeFile.load(recipe)
    if log.encoder is None or log.encoder.log_format.name != loaded.data:
        return None
    theirs = Recipe(**loaded.recipe).for_data(loaded.data)
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
    # A seed is no setting.
    del expected["seed"], received["seed"]
    if received != expected:
        return None
    return loaded.published or None
