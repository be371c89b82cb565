"""Compares FAT-DeepFFM with its formula, vector by vector."""

import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import clicks_by_loops
from tests.zoo.models.by_loops import linear_logit
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights

FIELDS = ["price", "age", "site", "hour", "device"]
DIM = 3


def row(model, weights, dense, rows):
    logit = weights["click/bias"][0]
    logit += linear_logit(weights, dense, rows)
    numbers = dense[:, None] * weights["numeric_embeddings/embeddings"]
    fields = [*numbers, *weights["embeddings/embeddings"][rows]]
    facing = {}
    for i, field in enumerate(fields):
        others = [j for j in range(len(FIELDS)) if j != i]
        for k, j in enumerate(others):
            facing[i, j] = field[k * DIM : (k + 1) * DIM]
    if model.attention == "vectors":
        facing = scaled(weights, facing)
    pairs = {(i, j): facing[i, j] * facing[j, i] for i, j in facing if i < j}
    if model.attention == "pairs":
        pairs = scaled(weights, pairs)
    if model.products == "inner":
        pairs = {place: [sum(pair)] for place, pair in pairs.items()}
    hidden = np.concatenate(list(pairs.values()))
    for i in (1, 2):
        hidden = dense_relu(weights, f"hidden_{i}", hidden)
    return 1 / (1 + np.exp(-logit - hidden @ weights["logit/kernel"][:, 0]))


def scaled(weights, vectors):
    scores = np.array(
        [
            max(0, vector @ weights["scores/kernel"][p])
            for p, vector in enumerate(vectors.values())
        ]
    )
    for i in (1, 2):
        scores = dense_relu(weights, f"attention_hidden_{i}", scores)
    return {
        place: scores[p] * vector
        for p, (place, vector) in enumerate(vectors.items())
    }


def dense_relu(weights, layer, x):
    outputs = x @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"]
    return np.maximum(outputs, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"products": "inner", "reduction_ratio": 7},
        {"attention": "pairs", "reduction_ratio": 100},
        {"attention": None},
    ],
)
def test_fat_deep_ffm_is_the_published_one(arguments):
    model = zoo.FATDeepFFM(
        SCHEMA, embedding_dim=DIM, hidden_units=(8, 6), **arguments
    )
    set_weights(model, deviation=0.3)
    x = inputs()
    expected = clicks_by_loops(model, x, row)
    assert np.std(expected) > 1e-2
    np.testing.assert_allclose(
        model.predict(x, verbose=0)[:, 0], expected, rtol=1e-5
    )


def test_attention_to_pairs_needs_their_vectors():
    with pytest.raises(ValueError, match="must be 'hadamard' where"):
        zoo.FATDeepFFM(SCHEMA, attention="pairs", products="inner")
