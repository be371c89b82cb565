"""Tests a table's step: its rate, a custom clip, and its saved state."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_cowclip as kc

from . import networks

BATCH = np.zeros((8, 3), "int32"), np.ones((8, 1), "float32")


def test_the_rate_of_a_table_is_read_as_the_step_runs():
    optimizer = kc.CowClip(embedding_learning_rate=0.0)
    model = networks.one_table(optimizer, 20, 4)
    table = model.get_layer("table")
    before = table.get_weights()[0]
    model.train_on_batch(*BATCH)
    np.testing.assert_array_equal(table.get_weights()[0], before)
    optimizer.embedding_learning_rate = 1e-2
    model.train_on_batch(*BATCH)
    assert (table.get_weights()[0][0] != before[0]).all()


class OfTheWholeTable(kc.CowClip):
    """Clips every row by a factor that depends on all rows."""

    def _table_factor(self, gradient, table, counts):
        assert gradient.shape[0] == table.shape[0] == counts.shape[0] == 20
        return ops.ones_like(counts) / (1.0 + ops.sum(counts))


class Mixin:
    _table_factor = OfTheWholeTable._table_factor


class FromAMixin(Mixin, kc.CowClip):
    pass


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("custom", [OfTheWholeTable, FromAMixin])
def test_a_custom_clip_gets_the_whole_table(custom, lazy, monkeypatch):
    if keras.backend.backend() == "jax":
        # Chunks of a few rows, if the update were made in chunks.
        monkeypatch.setattr("keras_cowclip.backend.jax.FEWEST_CHUNKED_ROWS", 1)
    tables = []
    for optimizer in (
        # Adam that divides a gradient by little more than its epsilon.
        custom(
            embedding_learning_rate=1e7,
            embedding_l2=0.0,
            beta_1=0.0,
            beta_2=0.0,
            epsilon=1e7,
            lazy=lazy,
        ),
        keras.optimizers.SGD(1.0 / 25),  # 8 * 3 lookups, and 1.
    ):
        keras.utils.set_random_seed(0)
        model = networks.one_table(optimizer, 20, 4)
        model.train_on_batch(*BATCH)
        tables.append(model.get_layer("table").get_weights()[0])
    np.testing.assert_allclose(*tables, rtol=1e-4)


def test_a_lazy_table_saves_its_last_steps_in_place_of_a_momentum():
    names = {}
    for lazy in (False, True):
        table = kc.CowClipEmbedding(50, 4, name="table")
        table.build()
        optimizer = kc.CowClip(lazy=lazy)
        optimizer.build(table.trainable_variables)
        # The order in which Keras saves them.
        names[lazy] = [
            (v.name.removeprefix("table_"), tuple(v.shape))
            for v in optimizer.variables
            if len(v.shape)
        ]
    velocity = "embeddings_velocity", (50, 4)
    totals = "embeddings_clipped_and_present", (2,)
    momentum = "embeddings_momentum", (50, 4)
    last_step = "id_counts_last_step", (50,)
    assert names[False] == [momentum, velocity, totals]
    assert names[True] == [last_step, velocity, totals]
    assert optimizer._momentums == [None, None]
