"""Draws initial weights by NumPy on JAX.

JAX would compile a program for each shape, which took a quarter of the tests'
time. Within a compiled program JAX itself draws, such as for dropout.
"""

import numpy as np


def patch(monkeypatch):
    import jax
    import keras

    backend = keras.src.backend.random

    def replace(name, draw):
        original = getattr(backend, name)

        def by_numpy(shape, *bounds, dtype=None, seed=None, **more):
            key = backend.jax_draw_seed(seed)
            if isinstance(key, jax.core.Tracer):
                return original(shape, *bounds, dtype=dtype, seed=key, **more)
            random = np.random.default_rng(np.asarray(key))
            values = draw(random, shape, *bounds, **more)
            return jax.numpy.asarray(values, dtype or keras.config.floatx())

        monkeypatch.setattr(backend, name, by_numpy)

    replace("normal", normal)
    replace("truncated_normal", truncated_normal)
    replace("uniform", uniform)


def normal(random, shape, mean=0.0, stddev=1.0):
    return random.normal(mean, stddev, shape)


def truncated_normal(random, shape, mean=0.0, stddev=1.0):
    values = random.normal(size=shape)
    # Not Keras' distribution in its last decimals, but its bounds.
    values = np.where(abs(values) > 2, random.uniform(-2, 2, shape), values)
    return values * stddev + mean


def uniform(random, shape, minval=0.0, maxval=1.0):
    return random.uniform(minval, maxval, shape)
