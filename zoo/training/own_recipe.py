"""Describes runs that train a network of the caller's own."""

from typing import TYPE_CHECKING
from typing import Any

from zoo.registry import is_network
from zoo.training.recipe import NETWORK_SETTINGS
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

# Settings of the network that a recipe makes.
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


def recipe_for(recipe: Recipe, network: "keras.Model") -> Recipe:
    """Returns a recipe with the settings of the network that it trains.

    Args:
        recipe: `Recipe` of the run.
        network: `keras.Model`, of the zoo or the caller's own.
    """
    if is_network(network):
        return recipe.for_network(network)
    of_network = {
        "model": type(network).__name__,
        "network": {},
        "dtype": network.dtype_policy.name,
    }
    return OwnRecipe(**{**vars(recipe), **of_network})
