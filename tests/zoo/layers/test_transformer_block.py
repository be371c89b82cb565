import keras
import numpy as np
import pytest

from zoo.layers import Positions
from zoo.layers import TransformerBlock

EVENTS = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
MASK = np.array([[False, True, False, True], [False] * 4])


def block(**settings):
    layer = TransformerBlock(2, **settings)
    layer.build([EVENTS.shape, MASK.shape])
    return layer


def outputs(layer, events, mask=MASK):
    return keras.ops.convert_to_numpy(layer([events, mask]))


def test_an_event_sees_no_padding_but_itself():
    layer, changed = block(), np.array(EVENTS)
    changed[:, 0] += 1
    moved = np.abs(outputs(layer, changed) - outputs(layer, EVENTS)).max(-1)
    assert (moved[:, 0] > 1e-3).all()
    np.testing.assert_allclose(moved[:, 1:], 0, atol=1e-6)


def test_a_causal_block_sees_what_was_before():
    layer, changed = block(causal=True), np.array(EVENTS)
    changed[:, 2] += 1
    seen = np.ones((2, 4), "bool")
    before, after = (outputs(layer, each, seen) for each in (EVENTS, changed))
    moved = np.abs(after - before).max(-1)
    np.testing.assert_allclose(moved[:, :2], 0, atol=1e-6)
    assert (moved[:, 2:] > 1e-3).all()


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="num_heads.*must divide.*Received"):
        TransformerBlock(4).build([(None, 3, 6), (None, 3)])


def test_positions_are_added_or_put_beside():
    events = np.zeros((1, 2, 4), "float32")
    waves = [[0, 1, 0, 1], [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)]]
    for dim in (None, 4):
        received = keras.ops.convert_to_numpy(Positions(dim)(events))[0, :, -4:]
        np.testing.assert_allclose(received, waves, rtol=1e-6)
