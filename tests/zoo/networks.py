"""The small networks and inputs that the tests of several files share."""

import numpy as np
import pytest

import zoo
from zoo.models import MODELS

# Those that `forward.py` computes in NumPy and the built-in presets hold.
FIRST = ("dcn", "dcn_v2", "deepfm", "wide_deep")
ROLES = {"user": ["site"], "item": ["hour"], "context": ["device"]}
SCHEMA = zoo.FeatureSchema(
    dense=["price", "age"],
    categorical={"site": 7, "hour": 5, "device": 3},
)


def each_network(*often):
    """All networks as parameters; those not named run in `nox -s large`."""
    return [
        name if name in often else pytest.param(name, marks=pytest.mark.large)
        for name in MODELS
    ]


# What makes networks small whose own arguments make them large.
SMALL = {"dcn_v2": {"low_rank": 3, "num_experts": 2}}


def build(network, schema=SCHEMA, **kwargs):
    cls = MODELS[network]
    if cls.ROLES and not schema.roles:
        config = {**schema.get_config(), "roles": ROLES}
        schema = zoo.FeatureSchema.from_config(config)
    small = {"embedding_dim": 4, "hidden_units": (8, 6)}
    return cls(schema, **{**small, **SMALL.get(network, {}), **kwargs})


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
