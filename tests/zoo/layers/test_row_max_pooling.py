import keras
import numpy as np
import pytest

from zoo import layers


@pytest.mark.parametrize(
    ("rows", "size", "groups"),
    [
        (4, 2, [[0, 1], [2, 3]]),
        (5, 2, [[0], [1, 2], [3, 4]]),
        (7, 3, [[0, 1], [2, 3, 4], [5, 6]]),
        (1, 4, [[0]]),
    ],
)
def test_rows_are_pooled_in_the_groups_of_fuxictr(rows, size, groups):
    inputs = np.random.default_rng(0).normal(size=(2, rows, 3, 2))
    expected = np.stack([inputs[:, g].max(1) for g in groups], axis=1)
    layer = layers.RowMaxPooling(size)
    pooled = keras.ops.convert_to_numpy(layer(inputs.astype("float32")))
    np.testing.assert_allclose(pooled, expected, rtol=1e-6)
    assert layer.compute_output_shape(inputs.shape) == pooled.shape
