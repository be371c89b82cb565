"""Tests `lazy=True` with sparse gradients, by the rows of a batch alone."""

import keras
import numpy as np
import pytest

from keras_cowclip import CowClip
from keras_cowclip import CowClipEmbedding
from keras_cowclip import get_weights

from . import networks

BACKEND = keras.backend.backend()
IDS = 40


def shared_table_network(table):
    """Looks each id up twice: the gradient has two parts."""
    ids = keras.Input((3,), dtype="int32")
    both = [table(ids), table(keras.ops.flip(ids, axis=1))]
    features = keras.layers.Flatten()(keras.layers.Concatenate()(both))
    return keras.Model(ids, keras.layers.Dense(1, "sigmoid")(features))


def clicks():
    generator = np.random.default_rng(0)
    ids = generator.integers(0, IDS // 2, (96, 3))
    return ids, (generator.random((96, 1)) < 0.3).astype("float32")


def train(table=None, **arguments):
    keras.utils.set_random_seed(0)
    table = table or CowClipEmbedding(IDS, 4, name="table")
    model = shared_table_network(table)
    optimizer = CowClip(
        embedding_learning_rate=1e-2,
        clip_ratio=0.1,
        embedding_l2=1e-3,
        **{"lazy": True, **arguments},
    )
    model.compile(optimizer, "binary_crossentropy")
    model.fit(*clicks(), batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model, optimizer


def slots_of(optimizer, model):
    update = networks.table_update(optimizer, model, "table")
    slots = update.last_step, optimizer._velocities[update.index]
    return [keras.ops.convert_to_numpy(slot) for slot in slots]


# Each of these needs a whole gradient, so the step goes over the whole table.
@pytest.mark.parametrize(
    "whole", [{"clipvalue": 1e9}, {"use_ema": True}, {"clipnorm": 1e9}]
)
def test_rows_alone_move_as_they_do_among_the_whole_table(whole):
    model, optimizer = train()
    twin, twins_optimizer = train(**whole)
    if whole.get("use_ema"):
        # `fit` ends with the averages in the weights; moments have none.
        pairs = []
    else:
        pairs = [*zip(get_weights(model), get_weights(twin), strict=True)]
    pairs += zip(
        slots_of(optimizer, model), slots_of(twins_optimizer, twin), strict=True
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
    assert optimizer.clipped_share == pytest.approx(
        twins_optimizer.clipped_share
    )
    assert 0 < optimizer.clipped_share < 1
    assert int(optimizer.iterations) == int(twins_optimizer.iterations) == 12


@pytest.mark.parametrize("ids", [IDS, 10 * IDS], ids=["small", "large"])
def test_a_table_of_more_rows_than_lookups_is_clipped_the_same(ids):
    def run(**arguments):
        first = keras.initializers.RandomUniform(seed=0)
        table = CowClipEmbedding(
            ids, 4, embeddings_initializer=first, name="table"
        )
        return train(table, lazy=False, **arguments)

    runs = run(), run(clipvalue=1e9)  # The second needs a whole gradient.
    for ours, theirs in zip(
        *(get_weights(model) for model, _ in runs), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
    shares = [optimizer.clipped_share for _, optimizer in runs]
    assert shares[0] == pytest.approx(shares[1])
    assert 0 < shares[0] < 1


@pytest.mark.skipif(
    BACKEND == "jax", reason="a gradient on JAX is as large as its variable"
)
def test_neither_gradient_nor_counts_are_as_large_as_the_table():
    model, _ = train()
    table = model.get_layer("table")
    if BACKEND == "torch":
        assert table.embeddings.value.grad.is_sparse
        assert table.id_counts.value.grad.is_sparse
    else:
        # The whole table's step writes the counts, this one does not.
        assert keras.ops.convert_to_numpy(table.id_counts).sum() == 0
    twin, _ = train(clipvalue=1e9)
    counts = twin.get_layer("table").id_counts
    assert keras.ops.convert_to_numpy(counts).sum() == 2 * 16 * 3


@pytest.mark.trained_often
def test_another_optimizer_trains_the_same_model_afterwards():
    weights = []
    for lazy_first in (False, True):
        keras.utils.set_random_seed(0)
        model = shared_table_network(CowClipEmbedding(IDS, 4, name="table"))
        first = model.get_weights()
        if lazy_first:
            model.compile(CowClip(lazy=True), "binary_crossentropy")
            model.fit(*clicks(), verbose=0)
            model.set_weights(first)
        model.compile("adam", "binary_crossentropy")
        model.fit(*clicks(), shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)


@pytest.mark.trained_often
def test_a_model_with_another_optimizer_shares_the_table():
    weights = []
    for clipvalue in (None, 1e9):  # Sparse updates, and dense ones.
        keras.utils.set_random_seed(0)
        table = CowClipEmbedding(IDS, 4, name="table")
        ours, theirs = shared_table_network(table), shared_table_network(table)
        ours.compile(
            CowClip(lazy=True, clipvalue=clipvalue), "binary_crossentropy"
        )
        theirs.compile("adam", "binary_crossentropy")
        for _ in range(2):
            ours.fit(*clicks(), batch_size=16, shuffle=False, verbose=0)
            theirs.fit(*clicks(), batch_size=16, shuffle=False, verbose=0)
        weights.append(ours.get_weights() + theirs.get_weights())
    for sparse, dense in zip(*weights, strict=True):
        np.testing.assert_allclose(sparse, dense, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(
    BACKEND != "torch", reason="others compile a step with its optimizer"
)
def test_another_optimizer_is_put_in_the_place_of_a_lazy_one():
    model, _ = train()
    assert model.get_layer("table").embeddings.value.grad.is_sparse
    model.optimizer = keras.optimizers.Adam()
    model.fit(*clicks(), verbose=0)
    assert not model.get_layer("table").embeddings.value.grad.is_sparse


@pytest.mark.parametrize("scaled", [False, True])
def test_a_loss_scale_gets_whole_gradients(scaled):
    keras.utils.set_random_seed(0)
    model = shared_table_network(CowClipEmbedding(IDS, 4, name="table"))
    optimizer = CowClip(lazy=True)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, "binary_crossentropy")
    model.fit(*clicks(), batch_size=16, verbose=0)
    if BACKEND == "torch":
        gradient = model.get_layer("table").embeddings.value.grad
        assert gradient.is_sparse != scaled


def test_negative_ids_count_from_the_end():
    model, _ = train()
    ids = np.array([[1, 2, IDS - 1]])
    np.testing.assert_array_equal(
        model.predict(ids - [[0, 0, IDS]], verbose=0),
        model.predict(ids, verbose=0),
    )


def test_a_constraint_reaches_rows_that_the_batch_has_not():
    table = CowClipEmbedding(
        IDS,
        4,
        name="table",
        embeddings_initializer="ones",
        embeddings_constraint=keras.constraints.MaxNorm(0.5, axis=1),
    )
    model, _ = train(table)
    norms = np.linalg.norm(model.get_layer("table").get_weights()[0], axis=1)
    np.testing.assert_allclose(norms[IDS // 2 :], 0.5, rtol=1e-3)


def test_steps_are_counted_when_a_model_is_nothing_but_tables():
    inputs = keras.Input((3,), dtype="int32")
    rows = CowClipEmbedding(IDS, 1)(inputs)
    model = keras.Model(inputs, keras.ops.mean(rows, axis=1))
    optimizer = CowClip(lazy=True)
    model.compile(optimizer, "mse")
    model.fit(*clicks(), batch_size=16, verbose=0)
    assert int(model.optimizer.iterations) == 6


def test_rows_with_a_gradient_from_elsewhere_are_clipped_too():
    # A regularizer's gradient, of rows that no batch looks up.
    table = CowClipEmbedding(
        IDS,
        4,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=1e-2),
        embeddings_regularizer=keras.regularizers.L2(10.0),
    )
    inputs = keras.Input((3,), dtype="int32")
    model = keras.Model(inputs, keras.ops.mean(table(inputs), axis=(1, 2)))
    optimizer = CowClip(clip_ratio=1e-2, embedding_l2=0.0)
    model.compile(optimizer, "mse")
    before = table.get_weights()[0][-1]
    model.train_on_batch(*clicks())
    position = [v is table.embeddings for v in model.trainable_variables]
    momentum = optimizer._momentums[position.index(True)]
    np.testing.assert_allclose(
        np.linalg.norm(keras.ops.convert_to_numpy(momentum)[-1]) / 0.1,
        1e-2 * np.linalg.norm(before),
        rtol=1e-4,
    )
