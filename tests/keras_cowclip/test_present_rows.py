"""Some rows of a table by themselves; on JAX in rounds, where it compiles."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_cowclip as kc
from keras_cowclip.present_rows import update_present_rows

from . import networks
from . import xla

BACKEND = keras.backend.backend()
on_jax = pytest.mark.skipif(
    BACKEND != "jax",
    reason="no rounds: others have gradients of the batch's rows alone",
)


def compiled(function):
    """`function` of arrays, as a training step would run it."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    return function


@pytest.fixture(autouse=True)
def several_rounds(monkeypatch):
    """Rounds of a few rows, in small tables too."""
    monkeypatch.setattr("keras_cowclip.present_rows.FEWEST_ROWS", 1)
    if BACKEND == "jax":
        monkeypatch.setattr("keras_cowclip.jax_rounds.ROWS_A_ROUND", 4)


@pytest.mark.parametrize(
    ("rows", "num_present"),
    [(1, 0), (1, 1), (16, 0), (16, 1), (16, 16), (100, 37), (100, 100)],
)
def test_rows_that_are_present_change_and_no_others(rows, num_present):
    generator = np.random.default_rng(0)
    present = np.zeros(rows, bool)
    present[generator.permutation(rows)[:num_present]] = True
    table = generator.random((rows, 3)).astype("float32")
    steps = generator.random(rows).astype("float32")
    gradient = generator.random((rows, 3)).astype("float32")

    def update(table, steps, gradient):
        return table * 2 + gradient, steps + ops.sum(gradient, axis=-1)

    @compiled
    def step(present, table, steps, gradient):
        return update_present_rows(update, present, (table, steps), gradient)

    new_table, new_steps = step(
        *map(ops.convert_to_tensor, (present, table, steps, gradient))
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(new_table),
        np.where(present[:, None], table * 2 + gradient, table),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(new_steps),
        np.where(present, steps + gradient.sum(axis=-1), steps),
        rtol=1e-6,
    )


@pytest.mark.parametrize("regularizer", [None, keras.regularizers.L2(3.0)])
@pytest.mark.parametrize("batch_size", [2, 64])
def test_a_few_rows_are_clipped_as_they_are_among_all(regularizer, batch_size):
    # The batch of 2 has at most a 64th of the 400 rows, that of 64
    # more, and with a regularizer every row has a gradient.
    generator = np.random.default_rng(0)
    batches = [
        (
            generator.integers(0, 400, (batch_size, 3)),
            generator.random((batch_size, 1)),
        )
        for _ in range(3)
    ]
    tables, shares = [], []
    for run_eagerly in (False, True):
        keras.utils.set_random_seed(0)
        optimizer = kc.CowClip(embedding_learning_rate=1e-2, clip_ratio=0.1)
        model = networks.one_table(
            optimizer, 400, 4, embeddings_regularizer=regularizer
        )
        model.run_eagerly = run_eagerly
        for batch in batches:
            model.train_on_batch(*batch)
        tables.append(model.get_layer("table").get_weights()[0])
        shares.append(model.optimizer.clipped_share)
    np.testing.assert_allclose(*tables, rtol=1e-5, atol=1e-8)
    assert shares[0] == shares[1] > 0


@on_jax
@pytest.mark.parametrize("lazy", [False, True])
def test_a_compiled_step_takes_rounds(lazy):
    optimizer = kc.CowClip(lazy=lazy)
    assert "while(" in xla.compiled_update(optimizer, rows=400, columns=4)
