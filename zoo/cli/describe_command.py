from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zoo.cli.tables import card_tables
from zoo.data.description import CARD_FILE
from zoo.data.description import describe as describe_log


def describe(
    folder: Annotated[Path, typer.Argument(help="Folder made by `prepare`.")],
) -> None:
    """Describe an encoded log: sizes, gaps, ids; with a picture."""
    card = describe_log(folder)
    Console().print(*card_tables(card))
    Console(soft_wrap=True).print(
        f"Picture: {folder / CARD_FILE}", highlight=False
    )
