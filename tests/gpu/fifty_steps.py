"""Takes 50 steps from weights that NumPy draws, the same on any device.

KERAS_BACKEND=jax python -m tests.gpu.fifty_steps weights.npz
"""

import sys

import keras
import numpy as np

from . import clicks
from .sizes import ON_CPU

# Small, for a CPU takes these steps too, and smooth enough to be compared:
# with many ReLUs there is always one whose input rounding puts over its kink.
SIZES = ON_CPU._replace(steps=50)


def weights_before_and_after(**changes):
    """Returns two lists of arrays: all weights before the steps and after.

    Args:
        **changes: of the optimizer's arguments.
    """
    full_precision()
    model = clicks.compiled(SIZES, **changes)
    random = np.random.default_rng(3)
    before = []
    for weight in model.get_weights():
        drawn = random.normal(0, 0.1, weight.shape)
        before.append(drawn.astype("float32"))
    model.set_weights(before)
    clicks.fit(model, SIZES)
    return before, [np.array(weight) for weight in model.get_weights()]


def full_precision():
    """Keeps a GPU from rounding factors to TF32's 11 bits."""
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
    elif keras.backend.backend() == "torch":
        import torch

        torch.set_float32_matmul_precision("highest")
    else:
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)


if __name__ == "__main__":
    np.savez(sys.argv[1], *weights_before_and_after()[1])
