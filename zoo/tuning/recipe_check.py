"""Makes recipes that the log and the network take."""

from collections.abc import Mapping
from typing import Any

from zoo.data.encoded_log import EncodedLog
from zoo.feature_schema import FeatureSchema
from zoo.training.log_check import check_log
from zoo.training.recipe import Recipe
from zoo.training.training_batches import make_training_batches
from zoo.tuning.search_space import SearchSpace


class RecipeRefusedError(ValueError):
    """Settings that can't be trained by, alone or together."""


def checked_recipe(
    log: EncodedLog, space: SearchSpace, values: Mapping[str, Any]
) -> Recipe:
    """Returns the recipe with some values of the varied settings.

    Raises:
        RecipeRefusedError: if the recipe, the log or the network refuses them.
    """
    try:
        recipe = space.recipe(values)
        check_log(log, recipe)
        make_training_batches(log, recipe)
        # Tables of the log's sizes would take minutes, and tell no more.
        recipe.make_network(_with_few_ids(log.schema))
    except ValueError as error:
        raise RecipeRefusedError(str(error)) from error
    return recipe


def _with_few_ids(schema: FeatureSchema) -> FeatureSchema:
    """Returns the same columns with small vocabularies."""
    config = schema.get_config()
    config["categorical"] = [
        [name, min(size, 2)] for name, size in config["categorical"]
    ]
    for _, sequence in config.get("sequences", []):
        if sequence["vocabulary_size"] is not None:
            sequence["vocabulary_size"] = 2
    return FeatureSchema.from_config(config)
