"""The small networks and data that the tests of this folder share."""

import keras
import numpy as np

import keras_cowclip

VOCABULARY = 30
OCCURRING = 20
FIELDS = 3
DENSE = 2
HIDDEN = 5
EMBEDDING_DIM = 4


def click_data(rows, seed=1):
    """Ids with repeats (Zipf-like), ids from `OCCURRING` on never occur."""
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, OCCURRING + 1)
    ids = rng.choice(
        OCCURRING, (rows, FIELDS), p=popularity / popularity.sum()
    ).astype("int32")
    dense = rng.normal(size=(rows, DENSE)).astype("float32")
    labels = rng.integers(0, 2, (rows, 1)).astype("float32")
    return ids, dense, labels


def reference_network(weights):
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
    hidden = keras.layers.Dense(HIDDEN, activation="tanh", name="layer_1")
    output = keras.layers.Dense(1, name="layer_2")
    deep = keras.layers.Concatenate()(
        [keras.layers.Flatten()(table(ids)), dense]
    )
    linear = keras.ops.sum(wide(ids), axis=1)
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
    """`optimizer`'s `"momentum"` or `"velocity"` by the reference's names."""
    slots = {
        "momentum": optimizer._momentums,
        "velocity": optimizer._velocities,
    }
    position = {id(v): i for i, v in enumerate(model.trainable_variables)}
    return {
        name: slots[slot][position[id(variable)]].numpy()
        for name, variable in reference_variables(model).items()
    }
