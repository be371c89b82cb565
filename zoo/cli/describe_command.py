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
    if as_json:
        fields = {n: _numbers(field) for n, field in card["fields"].items()}
        print(json.dumps({**card, "fields": fields}))
        return
    Console().print(*card_tables(card))
    Console(soft_wrap=True).print(
        f"Picture: {folder / CARD_FILE}", highlight=False
    )


def _numbers(field: dict[str, Any]) -> dict[str, Any]:
    """Replaces the counts of a field, up to millions, by two shares of them."""
    numbers = dict(field)
    counts = numbers.pop("counts")
    numbers["most_frequent"] = numbers["seen_once"] = None
    if len(counts):
        numbers["most_frequent"] = float(counts[0] / counts.sum())
        numbers["seen_once"] = float((counts == 1).mean())
    return numbers
