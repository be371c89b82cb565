"""Reads recipe files: the settings and the metrics of published runs."""

import functools
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

    They are CowClip's own runs, and on Criteo and Avazu those of the benchmark
    BARS: `criteo_x1_deepfm` is its DeepFM on `reczoo/Criteo_x1`.

    Example:

    >>> "criteo_deepfm_128k" in zoo.built_in_recipes()
    True
    """
    return sorted(_files())


@functools.cache
def _files() -> dict[str, Path]:
    return {path.stem: path for path in _BUILT_IN.rglob("*.json")}


@dataclass(frozen=True)
class RecipeFile:
    """Settings of a training run on one data set, read from a JSON file.

    Attributes:
        description: string. A sentence about the run.
        data: string. Name of the raw log, or the source of one that was never
            raw.
        prepare: string. Command that encodes the log. Empty in a file that
            `zoo.tune` wrote.
        recipe: dict. Arguments of `zoo.Recipe`.
        published: dict. The published `auc` of the run, in some its `log_loss`
            and the number of `parameters`, and the `source` that names its
            authors and setting. Empty if none was published.

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
        path = _files().get(str(name), Path(name))
        if not path.is_file():
            raise FileNotFoundError(
                "`recipe` must be one of `zoo.built_in_recipes()`, which the "
                "command `python -m zoo recipes` lists, or the path of a JSON "
                f"file. {did_you_mean(name, built_in_recipes())}"
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
