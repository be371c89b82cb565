"""Compares DeepFEFM, of which there are no golden numbers, with its formula."""

import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import clicks_by_loops
from tests.zoo.models.by_loops import linear_logit
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights


def row(model, weights, dense, rows):
    logit = weights["click/bias"][0]
    if model.linear:
        logit += linear_logit(weights, dense, rows)
    fields = list(weights["embeddings/embeddings"][rows])
    if model.dense == "embed":
        vectors = weights["numeric_embeddings/embeddings"]
        fields = [*(dense[:, None] * vectors), *fields]
    pairs = []
    for i in range(len(fields)):
        for j in range(i + 1, len(fields)):
            matrix = weights["pairs/kernel"][len(pairs)]
            pairs.append(fields[i] @ (matrix + matrix.T) @ fields[j])
    logit += sum(pairs)
    if model.hidden_units:
        hidden = []
        if model.embeddings_in_deep:
            hidden += list(np.concatenate(fields))
            hidden += list(dense) if model.dense == "concat" else []
        hidden += pairs if model.pairs_in_deep else []
        for i in range(1, len(model.hidden_units) + 1):
            kernel = weights[f"hidden_{i}/kernel"]
            bias = weights[f"hidden_{i}/bias"]
            hidden = np.maximum(np.array(hidden) @ kernel + bias, 0)
        logit += (hidden @ weights["logit/kernel"])[0]
    return 1 / (1 + np.exp(-logit))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"dense": "concat"},
        {"embeddings_in_deep": False},
        {"pairs_in_deep": False, "linear": False},
        {"hidden_units": ()},
    ],
)
def test_deep_fefm_is_the_published_one(arguments):
    arguments = {"embedding_dim": 4, "hidden_units": (8, 6), **arguments}
    model = set_weights(zoo.DeepFEFM(SCHEMA, **arguments), deviation=0.3)
    x = inputs()
    np.testing.assert_allclose(
        model.predict(x, verbose=0)[:, 0],
        clicks_by_loops(model, x, row),
        rtol=1e-5,
    )


def test_a_perceptron_needs_an_input():
    with pytest.raises(ValueError, match="must be True where there are hidden"):
        zoo.DeepFEFM(SCHEMA, embeddings_in_deep=False, pairs_in_deep=False)
