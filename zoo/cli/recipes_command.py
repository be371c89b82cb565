import json
from typing import Annotated

import typer
from rich.console import Console

from zoo.cli.options import AsJson
from zoo.cli.tables import recipes_table


def recipes(
    part: Annotated[
        str,
        typer.Argument(
            help="A part of the name, such as criteo_x1 or deepfm.",
            show_default=False,
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List published runs whose settings `train --recipe` takes."""
    from zoo.training.recipe_file import RecipeFile
    from zoo.training.recipe_file import built_in_recipes

    names = [name for name in built_in_recipes() if part.lower() in name]
    if not names:
        raise ValueError(
            "The argument must be a part of a recipe's name; without it all "
            f"{len(built_in_recipes())} are listed. Received: {part!r}"
        )
    found = {name: RecipeFile.load(name) for name in names}
    if as_json:
        print(json.dumps({name: vars(file) for name, file in found.items()}))
        return
    Console().print(recipes_table(found))
