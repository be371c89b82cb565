import keras
import numpy as np
import pytest

from zoo.layers import MaskedGRU

RANDOM = np.random.default_rng(0)
EVENTS = RANDOM.normal(size=(3, 4, 2)).astype("float32")
MASK = np.array([[False, True, True, False], [True] * 4, [False] * 4])
WEIGHTS = RANDOM.random((3, 4)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def last_state(events, mask, weights, arrays, attention, reset_after):
    kernel, recurrent, bias, *second = arrays
    second = second[0] if second else np.zeros_like(bias)
    state = np.zeros(3)
    for event, seen, weight in zip(events, mask, weights, strict=True):
        if not seen:
            continue
        x, gates = event @ kernel + bias, kernel.shape[1] - 3
        h = state @ recurrent[:, :gates] + second[:gates]
        gate = sigmoid(x[:gates] + h)
        update, reset = gate[:3], gate[-3:]
        if reset_after:
            told = reset * (state @ recurrent[:, gates:] + second[gates:])
        else:
            told = (reset * state) @ recurrent[:, gates:]
        new = np.tanh(x[gates:] + told)
        share = update
        if attention == "state":
            share = weight
        elif attention == "update":
            share = weight * update
            if not reset_after:
                # The gate of the authors says what is kept.
                share = 1 - (1 - weight) * (1 - update)
        state = (1 - share) * state + share * new
    return state


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("attention", [None, "update", "state"])
def test_states_by_loops(attention, reset_after):
    layer = MaskedGRU(3, attention, reset_after=reset_after)
    inputs = [EVENTS, MASK, WEIGHTS][: 2 + bool(attention)]
    layer.build([each.shape for each in inputs])
    random = np.random.default_rng(1)
    arrays = [random.normal(size=w.shape) for w in layer.weights]
    layer.set_weights(arrays)
    states = keras.ops.convert_to_numpy(layer(inputs))
    for i in range(3):
        expected = last_state(
            EVENTS[i], MASK[i], WEIGHTS[i], arrays, attention, reset_after
        )
        np.testing.assert_allclose(states[i, -1], expected, atol=1e-5)
    # It is held where there is no event.
    np.testing.assert_array_equal(states[0, 0], 0)
    np.testing.assert_array_equal(states[0, 3], states[0, 2])
