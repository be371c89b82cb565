"""What the commands that use a trained model have in common."""

from pathlib import Path
from typing import Annotated

import typer

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
