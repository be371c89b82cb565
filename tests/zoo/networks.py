"""The small networks and inputs that the tests of several files share."""

import numpy as np

import zoo
from zoo.models import MODELS

SCHEMA = zoo.FeatureSchema(
    dense=["price", "age"],
    categorical={"site": 7, "hour": 5, "device": 3},
)


def build(network, schema=SCHEMA, **kwargs):
    kwargs = {"embedding_dim": 4, "hidden_units": (8, 6), **kwargs}
    if network == "dcn_v2":
        kwargs = {"low_rank": 3, "num_experts": 2, **kwargs}
    return MODELS[network](schema, **kwargs)


def set_weights(model, seed=0, deviation=0.5):
    """The same weights on every backend, whatever its initializers draw."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if not variable.path.endswith("id_counts"):
            value = random.normal(0, deviation, variable.shape)
            if variable.path.endswith("moving_variance"):
                value = 0.5 + np.abs(value)
            variable.assign(value)
    return model


def inputs(schema=SCHEMA, rows=16, seed=1):
    random = np.random.default_rng(seed)
    return {
        "dense": random.random((rows, schema.num_dense)).astype("float32"),
        "ids": np.stack(
            [random.integers(0, n, rows) for n in schema.vocabulary_sizes],
            axis=1,
        ).astype("int32"),
    }
