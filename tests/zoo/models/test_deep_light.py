"""DeepLight against its formula in loops: no original of it runs here."""

import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights


def expected_click(w, prices, ids, hidden_layers):
    fields = list(prices[:, None] * w["numeric_embeddings/embeddings"])
    logit = w["click/bias"][0] + prices @ w["linear_dense/kernel"][:, 0]
    starts = np.cumsum([0, *SCHEMA.vocabulary_sizes[:-1]])
    for row in starts + ids:
        fields.append(w["embeddings/embeddings"][row])
        logit += w["linear_embeddings/embeddings"][row, 0]
    place = 0
    for i in range(5):
        for j in range(i + 1, 5):
            weight = w["pair_weights/kernel"][place, 0]
            logit += weight * (fields[i] @ fields[j])
            place += 1
    if hidden_layers:
        hidden = np.concatenate(fields)
        for layer in range(1, hidden_layers + 1):
            kernel = w[f"hidden_{layer}/kernel"]
            hidden = hidden @ kernel + w[f"hidden_{layer}/bias"]
            hidden = np.maximum(hidden, 0)
        logit += hidden @ w["logit/kernel"][:, 0]
    return [1 / (1 + np.exp(-logit))]


@pytest.mark.parametrize("units", [(8, 6), ()])
def test_clicks_are_those_of_the_formula(units):
    model = set_weights(
        zoo.DeepLight(SCHEMA, embedding_dim=4, hidden_units=units)
    )
    x = inputs()
    w = float64_weights(model)
    expected = [
        expected_click(w, prices, ids, len(units))
        for prices, ids in zip(x["dense"], x["ids"], strict=True)
    ]
    click = model.predict(x, verbose=0)
    assert np.std(click) > 0.01
    np.testing.assert_allclose(click, expected, rtol=0, atol=1e-5)
