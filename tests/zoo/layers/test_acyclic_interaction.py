import keras
import numpy as np
import pytest

from zoo import layers


@pytest.mark.parametrize("aggregation", ["inner", "outer"])
def test_a_field_sees_itself_and_those_before_it(aggregation):
    random = np.random.default_rng(0)
    first, current = random.normal(size=(2, 2, 3, 4)).astype("float32")
    layer = layers.AcyclicInteraction(aggregation)
    layer([first, current])
    weights = [random.normal(size=w.shape) for w in layer.weights]
    layer.set_weights(weights)
    expected = np.zeros_like(first)
    for s in range(3):
        for f in range(s + 1):
            seen = weights[0][f, s] * current[:, f]
            if aggregation == "outer":
                seen = seen.sum(-1, keepdims=True) * weights[1][f, s]
            expected[:, s] += first[:, s] * seen
    received = keras.ops.convert_to_numpy(layer([first, current]))
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)
