"""Reads recipe files: the settings and the metrics of published runs."""

import json
import os
from dataclasses import dataclass
from dataclasses import fields
from pathlib import Path
from typing import Any

from zoo.checks import did_you_mean
from zoo.training.recipe import make_recipe

_BUILT_IN = Path(__file__).parent / "recipes"


def built_in_recipes() -> list[str]:
    """Returns the names of the recipes that are part of this package.

    Example:

    >>> "criteo_deepfm_128k" in zoo.built_in_recipes()
    True
    """
    return sorted(path.stem for path in _BUILT_IN.glob("*.json"))


@dataclass(frozen=True)
class RecipeFile:
    """Settings of a training run on one data set, read from a JSON file.

    Attributes:
        description: string. A sentence about the run.
        data: string. Name of the raw log.
        prepare: string. Command that encodes the log.
        recipe: dict. Arguments of `zoo.Recipe`.
        published: dict. The published `auc` of the run, and the `source` that
            names its authors and setting. Empty if none was published.

    Example:

    >>> zoo.RecipeFile.load("criteo_deepfm_128k").recipe["batch_size"]
    131072
    """

    description: str
    data: str
    prepare: str
    recipe: dict[str, Any]
    published: dict[str, Any]

    @classmethod
    def load(cls, name: str | os.PathLike) -> "RecipeFile":
        """Reads a recipe.

        Args:
            name: one of `built_in_recipes()`, or path of a JSON file.

        Raises:
            FileNotFoundError: if there is no such recipe.
            ValueError: if the file is not that of a recipe.
        """
        path = Path(name)
        if str(name) in built_in_recipes():
            path = _BUILT_IN / f"{name}.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"`recipe` must be one of {built_in_recipes()} or the path of "
                f"a JSON file. {did_you_mean(name, built_in_recipes())}"
                f"Received: recipe={str(name)!r}"
            )
        try:
            content = cls(**json.loads(path.read_text()))
            make_recipe(**content.recipe)
        except (TypeError, ValueError) as error:
            names = [field.name for field in fields(cls)]
            raise ValueError(
                f"{path}: must be a JSON object of {names}, with arguments of "
                f"`zoo.Recipe` in `recipe`. Received: {error}"
            ) from error
        return content
