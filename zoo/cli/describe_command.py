import json
from pathlib import Path
from typing import Annotated
from typing import Any

import typer
from rich.console import Console

from zoo.cli.options import AsJson
from zoo.cli.tables import card_tables


def describe(
    folder: Annotated[Path, typer.Argument(help="Folder made by `prepare`.")],
    as_json: AsJson = False,
) -> None:
    """Describe an encoded log in numbers and a picture."""
    from zoo.data.description import CARD_FILE
    from zoo.data.description import describe as describe_log

    card = describe_log(folder)
    summarize_counts(card)
    if as_json:
        print(json.dumps(card))
        return
    Console().print(*card_tables(card))
    print(f"Picture: {folder / CARD_FILE}")


def summarize_counts(card: dict[str, Any]) -> None:
    """Replaces the counts of each column, up to millions, by two shares."""
    for column in (card["fields"] | card.get("sequences", {})).values():
        counts = column.pop("counts")
        column["most_frequent"] = column["seen_once"] = None
        if len(counts):
            column["most_frequent"] = float(counts[0] / counts.sum())
            column["seen_once"] = float((counts == 1).mean())
