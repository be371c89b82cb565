"""Defines the options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Literal

import typer
from rich.console import Console

if TYPE_CHECKING:
    from zoo.data.encoded_log import EncodedLog

Preset = Annotated[
    str,
    typer.Argument(
        # The backslash keeps rich from taking `[...]` for markup.
        help="Folder written by `train`, hf://user/repository\\[@revision], or "
        "the name of a built-in preset.",
    ),
]
EncodedFolder = Annotated[
    Path, typer.Option(help="Folder written by `prepare`.")
]
# Typer wants the choices spelled out; a test holds them to the library.
SplitName = Literal["train", "validation", "test"]
Split = Annotated[SplitName, typer.Option(help="Split of the encoded log.")]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print only the numbers, as a JSON object."),
]
GroupBy = Annotated[
    list[str] | None,
    typer.Option(
        help="Categorical column, such as user, within whose values the AUC "
        "is also measured (gAUC). May be given several times.",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder written by `prepare`. Without it: a synthetic log.",
        show_default=False,
    ),
]


def open_log(data: Path | None) -> "EncodedLog":
    """Opens the folder, or makes the synthetic log if none is given."""
    from zoo.data.encoded_log import EncodedLog
    from zoo.datasets import synthetic

    if data is not None:
        return EncodedLog.load(data)
    with Console().status("Making the synthetic log"):
        return synthetic.make_log()
