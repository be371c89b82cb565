import keras
import numpy as np
import pytest

from zoo.layers.places import take_at


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((2, 4, 3), 1), ((2, 4, 1), 1), ((2, 1, 5), -1), ((1, 4, 3), 2)],
)
def test_values_are_taken_at_the_places_of_each_row(shape, axis):
    random = np.random.default_rng(0)
    values = random.normal(size=(2, 4, 3)).astype("float32")
    places = random.integers(0, values.shape[axis], shape)
    expected = np.take_along_axis(values, places, axis)
    taken = keras.ops.convert_to_numpy(take_at(values, places, axis))
    np.testing.assert_array_equal(taken, expected)
