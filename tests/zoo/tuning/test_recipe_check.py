import numpy as np

import zoo
from zoo.training.recipe import Recipe
from zoo.tuning.recipe_check import checked_recipe
from zoo.tuning.search_space import SearchSpace


def test_networks_are_tried_with_small_tables(monkeypatch):
    schema = zoo.FeatureSchema(
        [],
        {"item": 10**9},
        sequences={
            "history": zoo.Sequence("item", max_length=2),
            "tags": zoo.Sequence(vocabulary_size=10**9, max_length=3),
        },
    )
    inputs = {
        name: np.zeros((9, width), dtype)
        for name, (width, dtype) in schema.inputs().items()
    }
    split = zoo.Split(inputs, np.zeros(9, "int8"))
    log = zoo.EncodedLog(schema, {"train": split, "test": split}, "shop")
    tried = []
    monkeypatch.setattr(
        Recipe, "make_network", lambda recipe, schema: tried.append(schema)
    )
    space = SearchSpace(None, {"model": "fm", "batch_size": 3})
    checked_recipe(log, space, {})
    [small] = tried
    assert small.inputs() == schema.inputs()
    assert small.vocabularies == {"item": 2, "tags": 2}
