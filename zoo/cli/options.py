"""Defines the options that several commands share."""

from pathlib import Path
from typing import Annotated
from typing import Literal

import typer
from rich.console import Console

from zoo.data.encoded_log import EncodedLog
from zoo.datasets import synthetic
from zoo.training.recipe import Recipe

Preset = Annotated[
    str,
    typer.Argument(
        help="Folder written by `train`, hf://user/repository[@revision], or "
        "the name of a built-in preset.",
    ),
]
EncodedFolder = Annotated[
    Path, typer.Option(help="Folder written by `prepare`.")
]
SplitName = Annotated[str, typer.Option(help="train, validation or test.")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder written by `prepare`. Without it: a synthetic log.",
        show_default=False,
    ),
]
Epochs = Annotated[int, typer.Option(min=1)]
LearningRate = Annotated[
    float | None,
    typer.Option(
        help="Of the dense weights; the paper's 1e-4 for Avazu, else 8e-4.",
        show_default=False,
    ),
]
EmbeddingLearningRate = Annotated[
    float, typer.Option(help="Of the embedding tables.")
]
EmbeddingL2 = Annotated[
    float, typer.Option(help="L2 on the embedding tables (lambda).")
]
WarmupEpochs = Annotated[
    float, typer.Option(help="Of the dense learning rate.")
]
Decay = Annotated[
    Literal["none", "cosine", "plateau"],
    typer.Option(
        help="Of both learning rates: along a cosine to a tenth at the end, or "
        "to a tenth whenever the validation AUC stalls."
    ),
]
EmbeddingDim = Annotated[int, typer.Option(min=1)]
HiddenUnits = Annotated[
    list[int] | None,
    typer.Option(
        min=1,
        help="Of a layer of the MLP; repeated for each. Default: 400, three "
        "times.",
        show_default=False,
    ),
]
DEFAULT_HIDDEN_UNITS = Recipe().hidden_units


def open_log(data: Path | None) -> EncodedLog:
    """Opens the folder, or makes the synthetic log where there is none."""
    if data is not None:
        return EncodedLog.load(data)
    with Console().status("Making the synthetic log"):
        return synthetic.make_log()
