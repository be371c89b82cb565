"""Makes the click log and the networks that the tests of this folder share."""

import keras
import numpy as np

import keras_cowclip
import zoo
from zoo.registry import NETWORKS

# At these rates a few steps move weights visibly, and the clip is active.
OPTIMIZER = {
    "learning_rate": 1e-2,
    "embedding_learning_rate": 1e-2,
    "embedding_l2": 1e-5,
    "clip_ratio": 1e-2,
}
FIELDS = 4
DENSE = 3


def click_schema(num_ids):
    """One field has half of all ids, the next a quarter, and so on."""
    vocabularies = [num_ids >> f for f in range(1, FIELDS)]
    vocabularies.append(num_ids - sum(vocabularies))
    return zoo.FeatureSchema(
        dense=[f"I{i}" for i in range(DENSE)],
        categorical={f"C{i}": size for i, size in enumerate(vocabularies)},
    )


def click_log(num_ids, rows):
    """Returns inputs and labels, which follow from popular ids' effects."""
    generator = np.random.default_rng(0)
    vocabularies = np.array(click_schema(num_ids).vocabulary_sizes)
    ids = generator.random((rows, FIELDS)) ** 4 * vocabularies
    ids = ids.astype("int32")
    dense = generator.random((rows, DENSE), dtype="float32")
    logits = np.sin(ids).sum(axis=1, keepdims=True) + dense[:, :1]
    labels = generator.random((rows, 1)) < 1 / (1 + np.exp(-2 * logits))
    return {"dense": dense, "ids": ids}, labels.astype("float32")


def network(sizes, name="deepfm", policy="float32"):
    return NETWORKS[name](
        click_schema(sizes.num_ids),
        embedding_dim=sizes.embedding_dim,
        hidden_units=sizes.hidden_units,
        dtype=policy,
    )


def compiled(
    sizes,
    name="deepfm",
    policy="float32",
    loss="binary_crossentropy",
    compile_arguments=None,
    **changes,
):
    model = network(sizes, name, policy)
    model.compile(
        keras_cowclip.CowClip(**{**OPTIMIZER, **changes}),
        loss,
        **(compile_arguments or {}),
    )
    return model


def fit(model, sizes, epochs=1):
    """Trains on the same whole batches at every call; returns the losses."""
    inputs, labels = click_log(sizes.num_ids, sizes.steps * sizes.batch_size)
    history = model.fit(
        inputs,
        labels,
        batch_size=sizes.batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
    )
    return history.history["loss"]


def arrays(variables):
    """Copies: NumPy sees PyTorch's own memory on a CPU."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
