"""DSIN has no golden numbers: its formula, by loops."""

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights

SCHEMA = zoo.FeatureSchema(
    [], {"site": 7}, sequences={"sites": zoo.Sequence("site", max_length=6)}
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(w, sessions):
    """One direction; gates are input, forget, new and output."""
    kernel, recurrent, bias = w
    size = len(recurrent)
    h, c, states = np.zeros(size), np.zeros(size), []
    for session in sessions:
        i, f, g, o = np.split(session @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return states


def pooled(w, name, target, vectors):
    """The sum of vectors, weighed by the softmax of a perceptron."""
    total, weights = np.zeros(len(target)), 0
    for e in vectors:
        x = np.concatenate([target, e, target - e, target * e])
        hidden = f"{name}_hidden_1"
        x = sigmoid(x @ w[f"{hidden}/kernel"] + w[f"{hidden}/bias"])
        weight = np.exp(x @ w[f"{name}_score/kernel"])[0]
        total, weights = total + weight * e, weights + weight
    return total / weights if vectors else total


def test_it_is_its_formula():
    model = zoo.DSIN(
        SCHEMA,
        embedding_dim=4,
        hidden_units=(),
        num_sessions=3,
        lstm_layers=1,
        attention_units=(5,),
    )
    w, x = float64_weights(set_weights(model)), inputs(SCHEMA)
    # A session may be padded, and one between others empty.
    x["sites"][1] = [-1, 3, -1, -1, 5, 2]
    bias = [w[f"session_bias_1/{of}"] for of in ("session", "place", "unit")]
    cells = [
        [
            keras.ops.convert_to_numpy(variable.value).astype("float64")
            for variable in cell.weights
        ]
        for cell in (
            model.get_layer("states_1_1_forward"),
            model.get_layer("states_1_1_backward"),
        )
    ]
    block, table = model.get_layer("session_1"), w["embeddings/embeddings"]
    expected = []
    for row in range(16):
        sessions = []
        for k in range(3):
            ids = x["sites"][row, 2 * k : 2 * k + 2]
            if (ids < 0).all():
                continue
            events = np.zeros((1, 2, 4))
            for t, event in enumerate(ids):
                own = table[event] if event >= 0 else 0
                place = bias[1][0, t] + bias[2][0, 0]
                events[0, t] = own + bias[0][k, 0] + place
            # The block has a test of its own.
            read = block([events.astype("float32"), ids[None] >= 0])
            read = keras.ops.convert_to_numpy(read)[0]
            sessions.append(read[ids >= 0].astype("float64").mean(axis=0))
        forward = lstm(cells[0], sessions)
        backward = lstm(cells[1], sessions[::-1])[::-1]
        states = [(a + b) / 2 for a, b in zip(forward, backward, strict=True)]
        target = table[x["ids"][row, 0]]
        flat = np.concatenate(
            [
                pooled(w, "interest_attention_1", target, sessions),
                pooled(w, "state_attention_1", target, states),
                target,
            ]
        )
        logit = flat @ w["logit/kernel"] + w["click/bias"]
        expected.append(sigmoid(logit))
    received = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.one_backend(reason="a check looks at no tensor")
def test_sessions_divide_the_length():
    with pytest.raises(ValueError, match=r"num_sessions.*Received"):
        zoo.DSIN(SCHEMA, num_sessions=4)
