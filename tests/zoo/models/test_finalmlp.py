"""The contexts, heads and vectors of FinalMLP."""

import numpy as np
import pytest

import zoo
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs


def build(**arguments):
    return zoo.FinalMLP(
        SCHEMA,
        embedding_dim=4,
        **{"hidden_units": (8, 6), "second_units": (4,), **arguments},
    )


def test_contexts_have_tables_of_their_own():
    model = build(first_context=("price", "hour"), second_context=("site",))
    assert model.get_layer("first_context").embeddings.shape == (5, 4)
    assert model.get_layer("numeric_first_context").embeddings.shape == (1, 4)
    assert model.get_layer("second_context").embeddings.shape == (7, 4)
    grown = zoo.grow(
        model,
        zoo.FeatureSchema(SCHEMA.dense, {**SCHEMA.categorical, "hour": 9}),
    )
    assert grown.get_layer("first_context").embeddings.shape == (9, 4)


def test_a_gate_without_context_is_the_same_for_all_rows():
    model = build()
    gate = model.get_layer("first_gate").output
    assert gate.shape[0] == 1
    assert model.predict(inputs(), verbose=0).shape == (16, 1)


def test_heads_must_divide_both_widths():
    with pytest.raises(ValueError, match=r"divide.*\[6, 4\].*num_heads=3"):
        build(num_heads=3)
    assert np.prod(build(num_heads=2).get_layer("fusion").kernel.shape) == 12


def test_contexts_must_be_columns():
    with pytest.raises(ValueError, match="first_context.*'sites'"):
        build(first_context=("sites",))
    with pytest.raises(ValueError, match="second_context.*'site'"):
        build(second_context="site")
