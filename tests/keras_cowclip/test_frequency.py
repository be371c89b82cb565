"""The factor of a row's learning rate, and whether its reason holds."""

import keras
import numpy as np
import pytest

from keras_cowclip import CowClip
from keras_cowclip import frequency_factor
from keras_cowclip import scale_hyperparameters

from . import reference


def factors(mean_counts, scale):
    mean_counts = keras.ops.array(mean_counts, dtype="float32")
    return keras.ops.convert_to_numpy(frequency_factor(mean_counts, scale))


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.0, 64.0])
def test_it_is_the_formula(scale):
    mean_counts = np.concatenate([[0.0], np.logspace(-8, 6, 100)])
    expected = reference.frequency_factors(mean_counts, scale)
    np.testing.assert_allclose(factors(mean_counts, scale), expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.25, 64.0])
def test_it_goes_from_the_square_root_rule_to_the_linear_one(scale):
    got = factors([0.0, 1e-6, 1e-2, 1.0, 1e2, 1e8], scale)
    np.testing.assert_allclose(got[:2], scale**0.5, rtol=1e-3)
    np.testing.assert_allclose(got[-1], scale, rtol=1e-3)
    assert (np.diff(got) * np.sign(scale - 1) >= 0).all()


# Of an id's gradient each time it occurs, at the small batch.
GRADIENT = 1e-4


def distance_of_an_epoch(mean_count, scale, rows):
    """Returns the distance that rows move over a fixed number of samples.

    `mean_count` is that of the small batch. A gradient is `GRADIENT` for each
    time the id occurs in the batch, divided by the size of the batch.
    """
    random = np.random.default_rng(0)
    mean_count, steps = mean_count * scale, 2_000 // scale
    scaled = scale_hyperparameters(1024 * scale, rule="frequency")
    beta_1, beta_2 = scaled["beta_1"], scaled["beta_2"]
    rate = factors([mean_count], scale)[0]
    momentum, velocity, moved = (np.zeros(rows) for _ in range(3))
    # A few windows first, so that the start does not count.
    warm_up = round(4 / (1 - beta_2))
    for step in range(1, warm_up + steps + 1):
        gradient = random.poisson(mean_count, rows) * GRADIENT / scale
        momentum = beta_1 * momentum + (1 - beta_1) * gradient
        velocity = beta_2 * velocity + (1 - beta_2) * gradient**2
        if step > warm_up:
            moved += rate * momentum / (np.sqrt(velocity) + scaled["epsilon"])
    return moved.mean()


@pytest.mark.parametrize("mean_count", [1e-4, 0.003, 0.03, 0.3, 3.0])
@pytest.mark.parametrize("scale", [8, 50])
def test_a_row_moves_as_far_in_an_epoch_at_any_batch(mean_count, scale):
    rows = 20_000 if mean_count < 1e-3 else 2_000
    small = distance_of_an_epoch(mean_count, 1, rows)
    large = distance_of_an_epoch(mean_count, scale, rows)
    # The mean of a root is not the root of the mean: that is the rest.
    assert large == pytest.approx(small, rel=0.1)


def test_lazy_rows_have_no_factor():
    with pytest.raises(ValueError, match="Received: lazy=True, frequency_sc"):
        CowClip(lazy=True, frequency_scale=8.0)


def test_the_scale_is_part_of_the_config():
    config = CowClip(frequency_scale=8.0).get_config()
    assert CowClip.from_config(config).frequency_scale == 8.0
