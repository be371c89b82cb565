"""The small networks and data that the tests of this folder share."""

import contextlib

import keras
import numpy as np

import keras_cowclip

from . import reference

VOCABULARY = 30
OCCURRING = 20
FIELDS = 3
DENSE = 2
HIDDEN = 5
EMBEDDING_DIM = 4
BATCH_SIZE = 16
STEPS = 20
# Rates at which the clip is active on most rows, and the floor on some.
STRONG = {
    "learning_rate": 1e-2,
    "embedding_learning_rate": 2e-3,
    "embedding_l2": 1e-3,
    "clip_ratio": 0.02,
    "clip_floor": 5e-4,
}


def click_data(rows, seed=1, padding=0.0):
    """Ids with repeats (Zipf-like), ids from `OCCURRING` on never occur.

    The first rows are the same however many there are. `padding` is the share
    of ids that are -1.
    """
    of_ids, of_dense, of_labels = np.random.default_rng(seed).spawn(3)
    popularity = 1.0 / np.arange(1, OCCURRING + 1)
    ids = of_ids.choice(
        OCCURRING, (rows, FIELDS), p=popularity / popularity.sum()
    ).astype("int32")
    if padding:
        ids[of_ids.random(ids.shape) < padding] = -1
    dense = of_dense.normal(size=(rows, DENSE)).astype("float32")
    labels = of_labels.integers(0, 2, (rows, 1)).astype("float32")
    return ids, dense, labels


def initial_weights():
    """The same at every call."""
    return reference.initial_weights(
        VOCABULARY, EMBEDDING_DIM, FIELDS, DENSE, HIDDEN
    )


def reference_network(weights, padded=False):
    """The Keras twin of the network in `reference.py`."""
    ids = keras.Input((FIELDS,), dtype="int32", name="ids")
    dense = keras.Input((DENSE,), name="dense")
    vocabulary, embedding_dim = weights["table"].shape
    table = keras_cowclip.CowClipEmbedding(
        vocabulary, embedding_dim, name="table"
    )
    wide = keras_cowclip.CowClipEmbedding(
        vocabulary, 1, clip=False, name="wide"
    )
    mask = ids >= 0 if padded else None
    hidden = keras.layers.Dense(HIDDEN, activation="tanh", name="layer_1")
    output = keras.layers.Dense(1, name="layer_2")
    deep = keras.layers.Concatenate()(
        [keras.layers.Flatten()(table(ids, padding_mask=mask)), dense]
    )
    linear = keras.ops.sum(wide(ids, padding_mask=mask), axis=1)
    logits = keras.layers.Add()([output(hidden(deep)), linear])
    model = keras.Model({"ids": ids, "dense": dense}, logits)
    for name, variable in reference_variables(model).items():
        variable.assign(weights[name])
    return model


def reference_variables(model):
    """The variables of `reference_network` by their name in `reference.py`."""
    return {
        "table": model.get_layer("table").embeddings,
        "wide": model.get_layer("wide").embeddings,
        "kernel_1": model.get_layer("layer_1").kernel,
        "bias_1": model.get_layer("layer_1").bias,
        "kernel_2": model.get_layer("layer_2").kernel,
        "bias_2": model.get_layer("layer_2").bias,
    }


def optimizer_slots(optimizer, model, slot):
    """`optimizer`'s `"momentum"` or `"velocity"` by the reference's names.

    A lazy table has no momentum, and is left out.
    """
    slots = {
        "momentum": optimizer._momentums,
        "velocity": optimizer._velocities,
    }
    variables = reference_variables(model).items()
    position = {id(v): i for i, v in enumerate(model.trainable_variables)}
    found = {name: slots[slot][position[id(v)]] for name, v in variables}
    return {name: v.numpy() for name, v in found.items() if v is not None}


def last_steps(optimizer, model):
    """The steps that last updated each row of the lazy tables, by name."""
    return {
        name: table_update(optimizer, model, name).last_step.numpy()
        for name in reference.TABLES
        if optimizer.lazy
    }


def table_update(optimizer, model, name):
    """The `TableUpdate` of the layer `name`."""
    table = model.get_layer(name).embeddings
    position = [v is table for v in model.trainable_variables].index(True)
    return optimizer._table_updates[position]


def compiled(optimizer, weights=None, padded=False, **compile_arguments):
    """`reference_network`, compiled, with `initial_weights` unless others."""
    if weights is None:
        weights = initial_weights()
    model = reference_network(weights, padded)
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        **compile_arguments,
    )
    return model


def one_table(optimizer, rows, columns, **table_arguments):
    """A compiled network of one table, named "table", and a linear layer."""
    ids = keras.Input((FIELDS,), dtype="int32")
    table = keras_cowclip.CowClipEmbedding(
        rows, columns, name="table", **table_arguments
    )
    flat = keras.layers.Flatten()(table(ids))
    model = keras.Model(ids, keras.layers.Dense(1)(flat))
    model.compile(optimizer, "mse")
    return model


def rows_of(model):
    """A copy of the layer "table"."""
    return np.array(model.get_layer("table").embeddings.numpy())


def batches(steps=STEPS, batch_size=BATCH_SIZE, start=0):
    """The same `steps` batches of `(inputs, labels)` at every call."""
    ids, dense, labels = click_data((start + steps) * batch_size)
    for step in range(start, start + steps):
        rows = slice(step * batch_size, (step + 1) * batch_size)
        yield {"ids": ids[rows], "dense": dense[rows]}, labels[rows]


def fit(
    model,
    steps=STEPS,
    batch_size=BATCH_SIZE,
    start=0,
    callbacks=(),
    padding=0.0,
):
    """Runs `fit` on those batches and returns the model."""
    rows = (start + steps) * batch_size
    ids, dense, labels = click_data(rows, padding=padding)
    rows = slice(start * batch_size, None)
    model.fit(
        {"ids": ids[rows], "dense": dense[rows]},
        labels[rows],
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return model


def id_counts(model, table="table"):
    return keras.ops.convert_to_numpy(model.get_layer(table).id_counts)


def last_batch_counts(batch_size=BATCH_SIZE, steps=STEPS):
    ids, _, _ = click_data(steps * batch_size)
    return np.bincount(ids[-batch_size:].ravel(), minlength=VOCABULARY)


def weights_of(model):
    """Copies: NumPy sees PyTorch's own memory on a CPU."""
    return {
        name: np.array(keras.ops.convert_to_numpy(variable))
        for name, variable in reference_variables(model).items()
    }


def optimizer_state(model):
    return [
        np.array(keras.ops.convert_to_numpy(v))
        for v in model.optimizer.variables
    ]


def assert_close(actual, expected, what=None):
    """Close by the tensor's largest value, and element by element."""
    largest = np.abs(expected).max()
    assert np.abs(actual - expected).max() <= 1e-5 * largest, what
    # Absent rows have moments a hundred times smaller than the others.
    np.testing.assert_allclose(
        actual, expected, rtol=1e-4, atol=5e-6 * largest, err_msg=what
    )


def assert_same_weights(model, expected):
    """`expected` is a model, or its weights by their names."""
    if not isinstance(expected, dict):
        expected = weights_of(expected)
    for name, weight in weights_of(model).items():
        assert_close(weight, expected[name], name)


@contextlib.contextmanager
def dtype_policy(name):
    """Sets the policy of all layers and models made in the scope."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
