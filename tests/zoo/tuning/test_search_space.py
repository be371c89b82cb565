"""Every network declares arguments that matter, and callers override them."""

from types import MappingProxyType

import keras
import pytest

import zoo
from tests.zoo.networks import build
from zoo.registry import NETWORKS
from zoo.tuning.candidates import Choices
from zoo.tuning.candidates import Range
from zoo.tuning.candidates import make_candidates
from zoo.tuning.search_space import COMMON_SPACE
from zoo.tuning.search_space import SearchSpace

# Enough for the ranks that are declared.
WIDE = {"hidden_units": (128, 80)}
OWN_WIDTHS = {"apg": {"overparameterization": 128}}
_SCALARS = (int, float, str, bool, type(None))


def layers_of(name, arguments):
    """Describes the layers, without the numbers of their names."""
    keras.utils.clear_session()
    model = build(name, **{**WIDE, **OWN_WIDTHS.get(name, {}), **arguments})
    return [
        (
            type(layer).__name__,
            [tuple(weight.shape) for weight in layer.weights],
            {
                attribute: value
                for attribute, value in vars(layer).items()
                if isinstance(value, _SCALARS)
                and "name" not in attribute
                and "path" not in attribute
                and not attribute.startswith("_")
            },
        )
        for layer in model._flatten_layers()
        if layer is not model
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_each_declared_argument_changes_the_network(name):
    defaults = NETWORKS[name].argument_defaults()
    ends = {}
    for argument, given in NETWORKS[name].SEARCH_SPACE.items():
        candidates = make_candidates(argument, given)
        assert isinstance(candidates.ends()[0], type(defaults[argument]))
        ends[argument] = candidates.ends()
    first = {argument: values[0] for argument, values in ends.items()}
    before = layers_of(name, first)
    for argument, values in ends.items():
        after = layers_of(name, {**first, argument: values[-1]})
        assert after != before, argument


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_space(name):
    space = SearchSpace(None, {"model": name})
    declared = {**COMMON_SPACE, **NETWORKS[name].SEARCH_SPACE}
    assert [*space.candidates] == [*declared]
    # All of the first recipe's values are among those that are tried.
    first = space.read(space.first_values())
    assert [*first] == [*declared]
    assert space.recipe(first) == space.first_recipe


def test_values_go_where_a_recipe_has_them():
    space = SearchSpace(
        {"hidden_units": [(8,), (8, 4)], "structure": ["stacked", "parallel"]},
        {"model": "dcn_v2", "network": {"low_rank": 8}},
    )
    recipe = space.recipe({"hidden_units": (8, 4), "structure": "stacked"})
    assert recipe.hidden_units == (8, 4)
    assert recipe.network == {"structure": "stacked", "low_rank": 8}


def test_params_replace_what_is_declared():
    space = SearchSpace(
        {"dropout": [0.1, 0.2], "epochs": (1, 3)}, {"model": "deepfm"}
    )
    assert space.candidates["dropout"] == Choices((0.1, 0.2))
    assert space.candidates["epochs"] == Range(1, 3)
    # 0, that of the recipe as it is, is none of the choices, nor are its ten
    # epochs in the range.
    assert space.first_values().keys() == COMMON_SPACE.keys()


def test_what_is_fixed_is_not_varied():
    fixed = {"model": "dcn", "dropout": 0.0, "network": {"num_cross_layers": 2}}
    assert SearchSpace(None, fixed).candidates.keys() == COMMON_SPACE.keys()


def test_the_first_recipe_has_the_rate_of_its_log():
    space = SearchSpace(None, {"model": "fm"}, "avazu")
    assert space.first_values()["learning_rate"] == 1e-4
    assert space.recipe({"embedding_l2": 1e-6}).learning_rate == 1e-4


@pytest.fixture
def tower(monkeypatch):
    monkeypatch.setattr("zoo.registry.NETWORKS", dict(NETWORKS))

    @zoo.register_network("tower_to_tune")
    class TowerToTune(zoo.CTRModel):
        SEARCH_SPACE = MappingProxyType({"widths": (1, 6)})

        def logits(self, x):
            return x.output(x.mlp())

    return TowerToTune


def test_an_argument_that_a_network_lacks_is_refused(tower, monkeypatch):
    monkeypatch.setitem(NETWORKS, "tower_to_tune", tower)
    with pytest.raises(ValueError, match=r"arguments of `TowerToTune`.*widths"):
        SearchSpace(None, {"model": "tower_to_tune"})


@pytest.mark.parametrize(
    "params, fixed, message",
    [
        ({"dropouts": (0.0, 0.1)}, {}, "Did you mean 'dropout'.*dropouts="),
        ({"model": ["fm", "lr"]}, {}, r"`params`, settings.*model=\['fm'"),
        ({"seed": (0, 9)}, {}, r"`params`, settings of a recipe.*seed=\(0, 9"),
        ({"num_cross_layers": (1, 3)}, {}, "num_cross_layers="),
        (
            {"dropout": (0.0, 0.1)},
            {"dropout": 0.2},
            r"fixed as well. Received: dropout=\(0.0, 0.1\), fixed at 0.2",
        ),
        ({"dropout": (0.5, 0.1)}, {}, r"Received: dropout=\(0.5, 0.1\)"),
        ({"dropout": (0.5, 1.5)}, {}, "`dropout` must be.*dropout=1.5"),
        ({"epochs": (0, 3)}, {}, "`epochs` must be.*epochs=0"),
        ({"epochs": (1, 2.5)}, {}, "`epochs` must be.*epochs=1.0"),
        ({"rule": ["cowclip", "cube"]}, {}, "`rule` must be.*'cube'"),
        ([("dropout", (0.0, 0.1))], {}, "`params` must be a `Mapping`"),
        (
            None,
            {
                "learning_rate": 1e-3,
                "embedding_learning_rate": 1e-3,
                "embedding_l2": 0.0,
                "dropout": 0.0,
            },
            "`params` must have a setting to vary.*Received",
        ),
    ],
    ids=str,
)
def test_wrong_params_are_refused(params, fixed, message):
    with pytest.raises(ValueError, match=message):
        SearchSpace(params, {"model": "deepfm", **fixed})
