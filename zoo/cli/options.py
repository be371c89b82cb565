"""Defines the options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zoo.data.encoded_log import EncodedLog
from zoo.datasets import synthetic

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


def open_log(data: Path | None) -> EncodedLog:
    """Opens the folder, or makes the synthetic log where there is none."""
    if data is not None:
        return EncodedLog.load(data)
    with Console().status("Making the synthetic log"):
        return synthetic.make_log()
