"""Compares 50 steps on a GPU with those on the same backend's CPU."""

import keras
import numpy as np
import pytest

from . import child
from . import fifty_steps

# Relative to a weight's way in the 50 steps, by norms. Without a GPU two
# processes compare the same CPU.
TOLERANCE = 1e-2


# On a CPU, which equals itself, they tell of the tests alone.
pytestmark = pytest.mark.large


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory):
    path = tmp_path_factory.mktemp("cpu") / "weights.npz"
    child.run("fifty_steps", path, **child.ON_CPU, OMP_NUM_THREADS="1")
    return list(np.load(path).values())


@pytest.fixture(autouse=True)
def precision_as_before():
    """`fifty_steps` sets the precision of the whole process."""
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", None)
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(True)


def largest_distance(expected, **changes):
    before, after = fifty_steps.weights_before_and_after(**changes)
    distances = [
        np.linalg.norm(ours - theirs) / np.linalg.norm(theirs - first)
        for ours, theirs, first in zip(after, expected, before, strict=True)
    ]
    return max(distances)


def test_50_steps_follow_the_cpu(on_cpu):
    assert largest_distance(on_cpu) < TOLERANCE


def test_the_comparison_sees_another_algorithm(on_cpu):
    assert largest_distance(on_cpu, clip_ratio=None) > 10 * TOLERANCE
