"""Adam of a table, and the shape that it has in XLA's program for a CPU."""

import re

import keras
import numpy as np
import pytest
from keras import ops

import keras_cowclip as kc

from . import networks
from . import xla

ROWS, COLUMNS = 5000, 10


def shapes_of_divisions(optimizer):
    text = xla.compiled_update(optimizer, ROWS, COLUMNS)
    return {
        shape
        for shape in re.findall(r"f32\[([\d,]*)\]\S* divide\(", text)
        if np.prod([int(size) for size in shape.split(",") if size]) >= ROWS
    }


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="PyTorch has a kernel for it, see `fused_adam`",
)
@pytest.mark.parametrize("arguments", [{}, {"amsgrad": True}])
def test_a_tables_quotients_are_one_long_loop(arguments):
    optimizer = kc.CowClip(clip_ratio=None, **arguments)
    assert shapes_of_divisions(optimizer) == {f"{ROWS * COLUMNS}"}


def test_the_rate_of_a_table_is_read_as_the_step_runs():
    optimizer = kc.CowClip(embedding_learning_rate=0.0)
    model = networks.one_table(optimizer, 20, 4)
    table = model.get_layer("table")
    before = table.get_weights()[0]
    model.train_on_batch(np.zeros((8, 3), "int32"), np.ones((8, 1)))
    np.testing.assert_array_equal(table.get_weights()[0], before)
    optimizer.embedding_learning_rate = 1e-2
    model.train_on_batch(np.zeros((8, 3), "int32"), np.ones((8, 1)))
    assert (table.get_weights()[0][0] != before[0]).all()


@pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="On TensorFlow Keras' Adam squares the parts of a repeated id's "
    "gradient apart, and PyTorch's kernel rounds in another order. Both are "
    "compared with the algorithm in test_exactness.",
)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"amsgrad": True},
        {"beta_1": 0.5, "beta_2": 0.9},
        # Of NumPy's own type, JAX would let it decide the result's.
        {"epsilon": np.float64(1e-3)},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_table_without_clip_and_l2_trains_as_adam_trains_it(arguments, dtype):
    tables = []
    for optimizer in (
        kc.CowClip(1e-2, 1e-2, 0.0, clip_ratio=None, **arguments),
        keras.optimizers.Adam(1e-2, **arguments),
    ):
        keras.utils.set_random_seed(0)
        model = networks.one_table(optimizer, 20, 4, dtype=dtype)
        generator = np.random.default_rng(0)
        x = generator.integers(0, 20, (64, 3))
        model.fit(x, x[:, :1] % 2, batch_size=16, shuffle=False, verbose=0)
        table, _ = model.trainable_variables[:2]
        tables.append(ops.convert_to_numpy(ops.cast(table, "float32")))
    np.testing.assert_allclose(*tables, rtol=1e-6, atol=1e-9)
