"""Self-attention over events, by loops over rows, heads and places."""

import keras
import numpy as np
import pytest

from zoo.layers import EventAttention

RANDOM = np.random.default_rng(0)
EVENTS = RANDOM.normal(size=(3, 4, 6)).astype("float32")
MASK = np.array(
    [[True] * 4, [False, False, True, True], [False, False, False, False]]
)


def normed(x, gamma, beta):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * gamma + beta


def expected_of(w, row, separate, use_bias):
    events, mask = EVENTS[row].astype("float64"), MASK[row]
    projected = events @ w["projection_kernel"][0]
    if use_bias:
        projected = projected + w["projection_bias"][0]
    q, k, v = np.split(projected, 3, axis=-1)
    outputs = []
    for place in range(4):
        seen = [i for i in range(place + 1) if mask[i] or i == place]
        heads = []
        for head in range(3):
            part = slice(2 * head, 2 * head + 2)
            scores = [q[place, part] @ k[i, part] / 2**0.5 for i in seen]
            weights = np.exp(scores) / np.exp(scores).sum()
            heads.append(
                sum(a * v[i, part] for a, i in zip(weights, seen, strict=True))
            )
        groups = heads if separate else [np.concatenate(heads)]
        each = []
        for g, head in enumerate(groups):
            s = head @ w["heads_kernel"][g] + events[place]
            if use_bias:
                s = s + w["heads_bias"][g]
            s = normed(s, w["gamma"][g], w["beta"][g])
            hidden = s @ w["hidden_kernel"][g] + w["hidden_bias"][g]
            hidden = np.maximum(hidden, 0)
            each.append(hidden @ w["last_kernel"][g] + w["last_bias"][g] + s)
        outputs.append(each if separate else each[0])
    return outputs


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("separate", [True, False])
def test_it_is_its_formula(separate, use_bias):
    layer = EventAttention(3, separate=separate, use_bias=use_bias)
    layer([EVENTS, MASK])
    weights = {}
    for variable in layer.weights:
        value = RANDOM.normal(0, 0.5, variable.shape)
        variable.assign(value)
        weights[variable.name] = value
    expected = [expected_of(weights, i, separate, use_bias) for i in range(3)]
    received = keras.ops.convert_to_numpy(layer([EVENTS, MASK]))
    np.testing.assert_allclose(received, expected, atol=1e-4)
