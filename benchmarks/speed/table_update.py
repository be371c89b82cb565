"""Times one update of a table by XLA: Adam, CowClip and its lazy step.

    KERAS_BACKEND=jax python benchmarks/speed/table_update.py

Runs on JAX or TensorFlow. Prints the milliseconds of one update of a table of
a million rows of ten, with gradients in 10,000 of them, as medians of 15. The
shape of `keras_cowclip.backend.xla` follows from these numbers.
"""

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
from collections.abc import Callable

import keras
import numpy as np
from result_lines import measured_with
from timing import median_seconds

from keras_cowclip import CowClip
from keras_cowclip import CowClipEmbedding
from zoo.runtime.environment import describe_environment

ROWS, COLUMNS, PRESENT = 1_000_000, 10, 10_000


def main():
    zoo.keep_freed_memory()
    print(*measured_with(describe_environment()).values())
    for name, optimizer in (
        ("Adam", keras.optimizers.Adam()),
        ("CowClip, no clip", CowClip(clip_ratio=None)),
        ("CowClip", CowClip()),
        ("CowClip, lazy", CowClip(lazy=True)),
    ):
        print(f"{name:17} {1e3 * update_seconds(optimizer):6.1f} ms")


def update_seconds(optimizer: keras.optimizers.Optimizer) -> float:
    layer = CowClipEmbedding(ROWS, COLUMNS)
    layer.build()
    optimizer.build(layer.trainable_variables)
    present = np.random.default_rng(0).choice(ROWS, PRESENT, replace=False)
    compiled = {"jax": jax_step, "tensorflow": tensorflow_step}
    step = compiled[keras.backend.backend()](
        optimizer, layer.trainable_variables, present
    )
    return median_seconds(step, rounds=15)


def jax_step(optimizer, variables, present) -> Callable[[], None]:
    import jax

    weights, state = (
        [variable.value for variable in those]
        for those in (variables, optimizer.variables)
    )
    gradients = [
        jax.numpy.zeros(weight.shape).at[present].set(1.0) for weight in weights
    ]
    update = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2))

    def step():
        nonlocal weights, state
        weights, state = update(state, gradients, weights)
        jax.block_until_ready((weights, state))

    return step


def tensorflow_step(optimizer, variables, present) -> Callable[[], None]:
    import tensorflow as tf

    counts = np.zeros(ROWS, "float32")
    counts[present] = 1.0
    rows = np.ones((PRESENT, COLUMNS), "float32")
    slices = tf.IndexedSlices(
        *map(tf.constant, (rows, present, (ROWS, COLUMNS)))
    )

    @tf.function
    def step():
        optimizer.apply([slices, tf.constant(counts)], variables)

    return step


if __name__ == "__main__":
    main()
