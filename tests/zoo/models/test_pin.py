"""Compares PIN, of which there are no golden numbers, with its formula."""

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
    numbers = dense[:, None] * weights["numeric_embeddings/embeddings"]
    fields = [*numbers, *weights["embeddings/embeddings"][rows]]
    pairs = []
    for i in range(len(fields)):
        for j in range(i + 1, len(fields)):
            parts = [fields[i], fields[j]]
            parts += [fields[i] * fields[j]] if model.product else []
            pairs.append(np.concatenate(parts))
    for layer in range(1, len(model.pair_units) + 1):
        pairs = pair_layer(model, weights, f"pair_hidden_{layer}", pairs)
        if layer < len(model.pair_units):
            pairs = np.maximum(pairs, 0)
    hidden = np.concatenate(pairs)
    for layer in ("hidden_1", "hidden_2"):
        kernel, bias = weights[f"{layer}/kernel"], weights[f"{layer}/bias"]
        hidden = np.maximum(hidden @ kernel + bias, 0)
    return 1 / (1 + np.exp(-logit - hidden @ weights["logit/kernel"][:, 0]))


def pair_layer(model, weights, layer, pairs):
    kernel, bias = weights[f"{layer}/kernel"], weights[f"{layer}/bias"]
    outputs = np.array(
        [pair @ kernel[p] + bias[p] for p, pair in enumerate(pairs)]
    )
    if not model.pair_norm:
        return outputs
    outputs = (outputs - outputs.mean()) / np.sqrt(outputs.var() + 1e-5)
    return outputs * weights[f"{layer}/scale"] + weights[f"{layer}/shift"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"pair_units": (6,), "linear": True},
        {"product": False, "pair_norm": False},
    ],
)
def test_pin_is_the_published_one(arguments):
    arguments = {"pair_units": (7, 3), **arguments}
    model = zoo.PIN(SCHEMA, embedding_dim=4, hidden_units=(8, 6), **arguments)
    set_weights(model, deviation=0.3)
    x = inputs()
    expected = clicks_by_loops(model, x, row)
    assert np.std(expected) > 1e-3
    np.testing.assert_allclose(
        model.predict(x, verbose=0)[:, 0], expected, rtol=1e-5
    )
