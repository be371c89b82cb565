"""The factor of a row's learning rate, and whether its reason holds."""

import keras
import numpy as np
import pytest

from keras_cowclip import CowClip
from keras_cowclip import frequency_factor

from . import reference


def factors(mean_counts, scale, beta_2=0.999):
    return keras.ops.convert_to_numpy(
        frequency_factor(
            keras.ops.array(mean_counts, dtype="float32"), scale, beta_2
        )
    )


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.0, 64.0])
@pytest.mark.parametrize("beta_2", [0.99, 0.999])
def test_it_is_the_formula(scale, beta_2):
    mean_counts = np.concatenate([[0.0], np.logspace(-8, 4, 100)])
    expected = reference.frequency_factors(mean_counts, scale, beta_2)
    np.testing.assert_allclose(
        factors(mean_counts, scale, beta_2), expected, rtol=1e-5
    )


def test_rare_ids_keep_their_rate_and_those_of_every_batch_get_all_of_it():
    got = factors([0.0, 1e-6, 1e-4, 1e-2, 1.0, 1e4], 64.0)
    np.testing.assert_allclose(got[:3], 1.0, rtol=1e-3)
    assert got[5] == 64.0
    assert (np.diff(got) >= -1e-3).all()


def adam_distance(share, rows=4000, steps=5000, beta_1=0.9, beta_2=0.999):
    """How far dense Adam moves a row a step, at a rate of 1.

    The row has a gradient of a constant sign in this share of the steps.
    """
    random = np.random.default_rng(0)
    momentum, velocity, moved = (np.zeros(rows) for _ in range(3))
    for step in range(1, steps + 1):
        gradient = (random.random(rows) < share).astype("float64")
        momentum = beta_1 * momentum + (1 - beta_1) * gradient
        velocity = beta_2 * velocity + (1 - beta_2) * gradient**2
        if step > steps / 2:
            corrected = momentum / (1 - beta_1**step)
            root = np.sqrt(velocity / (1 - beta_2**step))
            moved += corrected / (root + 1e-7)
    return moved.mean() / (steps / 2)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.03])
def test_adam_moves_a_row_by_the_root_of_its_share(share):
    # Of the two regimes this is the one in which factors lie between.
    assert adam_distance(share) == pytest.approx(share**0.5, rel=0.1)


@pytest.mark.parametrize("value", [0, -1.0, "8"])
def test_the_scale_must_be_positive(value):
    with pytest.raises(ValueError, match=f"frequency_scale={value}"):
        CowClip(frequency_scale=value)


def test_the_scale_is_part_of_the_config():
    config = CowClip(frequency_scale=8.0).get_config()
    assert CowClip.from_config(config).frequency_scale == 8.0
