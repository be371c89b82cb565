"""`lazy=True` does to a row at once what dense Adam does to it step by step."""

import functools

import keras
import numpy as np
import pytest

from keras_cowclip import CowClip
from keras_cowclip import CowClipEmbedding

# A case that runs in `nox -s large`.
LARGE = functools.partial(pytest.param, marks=pytest.mark.large)
RARE, FREQUENT, ABSENT = 0, 1, 2
# Without the rare row, with it, and without it again. Adam's correction of its
# first steps, in which dense and lazy differ, is over by then.
FIRST, WITH_RARE, REST = 300, 30, 100


def trained(ids, upstream, **arguments):
    """A table of ones, after gradients that are what `upstream` says."""
    table = CowClipEmbedding(3, 2, embeddings_initializer="ones")
    inputs = keras.Input((2,), dtype="int32")
    model = keras.Model(inputs, table(inputs))
    model.compile(
        CowClip(**arguments),
        lambda y_true, y_pred: keras.ops.sum(y_true * y_pred),
    )
    model.fit(ids, upstream, batch_size=1, shuffle=False, verbose=0)
    return table.get_weights()[0]


def trained_rows(lazy, embedding_l2):
    """The table after its rare row had gradients, rested, and had none last."""
    generator = np.random.default_rng(0)
    ids = np.full((FIRST + WITH_RARE + REST, 2), FREQUENT)
    ids[FIRST : FIRST + WITH_RARE, 0] = ids[-1, 0] = RARE
    upstream = generator.normal(1.0, 1.0, (*ids.shape, 2))
    upstream[-1, 0] = 0.0
    return trained(
        ids,
        upstream,
        embedding_learning_rate=1e-3,
        embedding_l2=embedding_l2,
        beta_2=0.99,
        lazy=lazy,
    )


# Without l2, where it is most of the way, and where it is all that `v` is made
# of, so that every step of Adam is as long as its rate.
@pytest.mark.parametrize("embedding_l2", [0.0, LARGE(3e-3), LARGE(3e-2), 1.0])
def test_a_row_that_rested_is_about_where_the_dense_step_has_it(embedding_l2):
    dense, lazy = (
        trained_rows(kind, embedding_l2)[RARE] for kind in (False, True)
    )
    np.testing.assert_allclose(lazy - 1.0, dense - 1.0, rtol=0.3)


@pytest.mark.large
@pytest.mark.parametrize("every", [10, 100])
def test_the_l2_of_missed_steps_is_in_the_second_moment(every):
    # It is larger than the gradients, as it is at a large batch.
    ids = np.full((1000, 2), FREQUENT)
    ids[::every, 0] = RARE
    upstream = np.random.default_rng(0).normal(1e-6, 1e-6, (*ids.shape, 2))
    dense, lazy = (
        trained(
            ids,
            upstream,
            embedding_learning_rate=1e-5,
            embedding_l2=6.4e-4,
            lazy=kind,
        )[RARE]
        for kind in (False, True)
    )
    np.testing.assert_allclose(lazy - 1.0, dense - 1.0, rtol=0.15)


def test_a_row_moves_on_when_the_steps_were_set_back():
    table = CowClipEmbedding(3, 2)
    model = keras.Sequential([table, keras.layers.GlobalMaxPooling1D()])
    model.compile(CowClip(lazy=True), "mse")
    ids, labels = np.array([[RARE, FREQUENT]]), np.ones((1, 2))
    model.train_on_batch(ids, labels)
    model.optimizer.iterations.assign(100_000)
    model.train_on_batch(ids, labels)
    model.optimizer.iterations.assign(0)
    before = table.get_weights()[0]
    model.train_on_batch(ids, labels)
    moved = np.abs(table.get_weights()[0] - before).max()
    assert 1e-6 < moved < 1e-2


def test_a_row_that_no_batch_has_rests():
    np.testing.assert_array_equal(trained_rows(True, 3e-2)[ABSENT], 1.0)
