"""TIN has no golden numbers: its formula, by loops."""

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights

SCHEMA = zoo.FeatureSchema(
    ["price"],
    {"site": 7, "hour": 5},
    sequences={
        "sites": zoo.Sequence("site", max_length=4),
        "hours": zoo.Sequence("hour", max_length=4, parallel_to="sites"),
    },
)


def interest_of(w, target, events, heads):
    """`events` are pairs of a vector and how many places it is back."""
    positions = w["interest_1/positions"]
    kernels = [
        w.get(f"interest_1/{part}_kernel", np.eye(len(target)))
        for part in ("query", "key", "value")
    ]
    size, total = len(target) // heads, np.zeros(len(target))
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        query = ((target + positions[0]) @ kernels[0])[part]
        scores, values = [], []
        for event, back in events:
            event = event + positions[back]
            scores.append(
                np.exp((event @ kernels[1])[part] @ query / size**0.5)
            )
            values.append((event @ kernels[2])[part] * query)
        for score, value in zip(scores, values, strict=True):
            total[part] += score / sum(scores) * value
    return total


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("num_heads", [1, 3])
def test_it_is_its_formula(num_heads, projected):
    model = zoo.TIN(
        SCHEMA,
        embedding_dim=3,
        hidden_units=(),
        num_heads=num_heads,
        projected=projected,
    )
    w, x = float64_weights(set_weights(model)), inputs(SCHEMA)
    table, expected = w["embeddings/embeddings"], []
    for row in range(16):
        site, hour = table[x["ids"][row] + [0, 7]]
        events = [
            (np.concatenate([table[a], table[7 + b]]), 4 - place)
            for place, (a, b) in enumerate(
                zip(x["sites"][row], x["hours"][row], strict=True)
            )
            if a >= 0
        ]
        target = np.concatenate([site, hour])
        interest = interest_of(w, target, events, num_heads)
        flat = np.concatenate([target, interest, x["dense"][row]])
        logit = flat @ w["logit/kernel"] + w["click/bias"]
        expected.append(1 / (1 + np.exp(-logit)))
    received = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.one_backend(reason="a check looks at no tensor")
def test_heads_divide_the_width():
    with pytest.raises(ValueError, match=r"num_heads.*Received"):
        zoo.TIN(SCHEMA, embedding_dim=3, num_heads=4)
