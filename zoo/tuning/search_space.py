"""Knows which settings a study varies, and makes recipes of them."""

from collections.abc import Mapping
from dataclasses import fields
from dataclasses import replace
from typing import Any

from zoo.checks import check_instance
from zoo.checks import check_known
from zoo.registry import network_class
from zoo.training.recipe import Recipe
from zoo.training.recipe import make_recipe
from zoo.tuning.candidates import Candidates
from zoo.tuning.candidates import make_candidates

# Settings that are varied for every network, at a batch of 1024.
COMMON_SPACE: dict[str, Any] = {
    "learning_rate": (1e-4, 1e-2, "log"),
    "embedding_learning_rate": (1e-5, 1e-2, "log"),
    "embedding_l2": (1e-7, 1e-3, "log"),
}
_SETTINGS = tuple(field.name for field in fields(Recipe))
# A study has one network; trials that differ in luck alone tell nothing; the
# l2 of linear weights is that of the tables.
_NOT_VARIED = ("model", "network", "seed", "linear_l2")


class SearchSpace:
    """The settings that a study varies, beside those that are fixed.

    Args:
        params: dict of the candidates by setting, in the forms that
            `zoo.tune` takes. They replace those of the network.
        fixed: dict of settings of `Recipe`, which leave the space. It has
            `model`.
        data: string, the name of the log's `LogFormat`, or `None`. The recipe
            that the study begins with has the paper's learning rate for it.

    Raises:
        ValueError: for settings that do not exist or are fixed as well, for
            candidates of another form or that `Recipe` refuses, or if nothing
            is varied.
    """

    def __init__(
        self,
        params: Mapping[str, Any] | None,
        fixed: Mapping[str, Any],
        data: str | None = None,
    ):
        self._fixed = dict(fixed)
        self._data = data
        self.first_recipe = make_recipe(**fixed).for_data(data)
        cls = network_class(self.first_recipe.model)
        _check_names("SEARCH_SPACE", cls.SEARCH_SPACE, cls)
        given = self._checked({} if params is None else params, cls)
        taken = self._all_fixed()
        declared = {**COMMON_SPACE, **cls.SEARCH_SPACE}
        chosen = {n: v for n, v in declared.items() if n not in taken} | given
        if not chosen:
            raise ValueError(
                "`params` must have a setting to vary, for all that "
                f"`{cls.__name__}` declares are fixed. Received: params={given}"
            )
        self.candidates: dict[str, Candidates] = {
            name: make_candidates(name, value) for name, value in chosen.items()
        }
        for values in self.values_at_ends():
            self.recipe(values)

    def recipe(self, values: Mapping[str, Any]) -> Recipe:
        """Returns the recipe with some values of the varied settings."""
        settings = dict(self._fixed)
        settings["network"] = dict(self._fixed.get("network", {}))
        for name, value in values.items():
            part = settings if name in _SETTINGS else settings["network"]
            part[name] = value
        return make_recipe(**settings).for_data(self._data)

    def values_at_ends(self) -> list[dict[str, Any]]:
        """Returns the first trial's values, each time with one at an end.

        All values of a choice are ends.
        """
        first = {n: c.ends()[0] for n, c in self.candidates.items()}
        first |= self.read(self.first_values())
        return [
            {**first, name: value}
            for name, candidates in self.candidates.items()
            for value in candidates.ends()
        ]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Returns the values that an Optuna trial is to be run with."""
        return {
            name: candidates.suggest(trial, name)
            for name, candidates in self.candidates.items()
        }

    def read(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values of a trial, of those that Optuna has stored."""
        return {
            name: candidates.read(stored[name])
            for name, candidates in self.candidates.items()
            if name in stored
        }

    def first_values(self) -> dict[str, Any]:
        """Returns the first recipe's values, as Optuna stores them.

        Those that are no candidates are left out.
        """
        recipe = self.first_recipe
        defaults = network_class(recipe.model).argument_defaults()
        values = {**defaults, **recipe.network, **vars(recipe)}
        stored = {
            name: candidates.stored(values[name])
            for name, candidates in self.candidates.items()
        }
        return {n: v for n, v in stored.items() if v is not None}

    def to_json(self) -> dict[str, Any]:
        return {name: c.to_json() for name, c in self.candidates.items()}

    def _checked(self, params: Any, cls: Any) -> dict[str, Any]:
        check_instance("params", params, Mapping)
        _check_names("params", params, cls)
        taken = self._all_fixed()
        for name in params:
            if name in taken:
                raise ValueError(
                    "`params` must not have a setting that is fixed as well. "
                    f"Received: {name}={params[name]!r}, fixed at "
                    f"{taken[name]!r}"
                )
        return dict(params)

    def _all_fixed(self) -> dict[str, Any]:
        return {**self._fixed, **self._fixed.get("network", {})}


def _check_names(argument: str, names: Mapping[str, Any], cls: Any) -> None:
    known = {**dict.fromkeys(_SETTINGS), **cls.argument_defaults()}
    check_known(
        f"`{argument}`, settings of a recipe or arguments of `{cls.__name__}`,",
        names,
        [name for name in known if name not in _NOT_VARIED],
    )


def changed_settings(recipe: Recipe) -> dict[str, Any]:
    """Returns the settings in which a recipe differs from the usual one.

    `model` is always there, so that a file says what it trains.
    """
    usual = vars(replace(Recipe(), model=recipe.model))
    changed = {n: v for n, v in vars(recipe).items() if v != usual[n]}
    return {"model": recipe.model, **changed}
