"""Describes runs that train a network of the caller's own."""

from dataclasses import fields
from typing import TYPE_CHECKING
from typing import Any

from zoo.registry import is_network
from zoo.training.recipe import NETWORK_SETTINGS
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

# What a recipe says of a network that it makes.
SETTINGS_OF_A_NETWORK = (*NETWORK_SETTINGS, "network", "dtype")


class OwnRecipe(Recipe):
    """A recipe whose `model` is the class of a model that it did not make."""

    def _check_network(self) -> None:
        """The class of the caller may have any name and arguments."""

    def hyperparameters(self) -> dict[str, Any]:
        values = super().hyperparameters()
        for name in NETWORK_SETTINGS:
            del values[name]
        return values


def recipe_of(recipe: Recipe, network: "keras.Model") -> Recipe:
    """Returns a recipe that says of the network what can be said.

    Args:
        recipe: `Recipe` of the run.
        network: `keras.Model`, of the zoo or the caller's own.
    """
    if is_network(network):
        return recipe.for_network(network)
    settings = {
        each.name: getattr(recipe, each.name) for each in fields(recipe)
    }
    settings["model"] = type(network).__name__
    settings["network"] = {}
    settings["dtype"] = network.dtype_policy.name
    return OwnRecipe(**settings)
