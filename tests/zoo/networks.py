"""The small networks and inputs that the tests of several files share."""

import keras
import numpy as np
import pytest

import zoo
from zoo.registry import NETWORKS

# Those that `forward.py` computes in NumPy and the built-in presets hold.
FIRST = ("dcn", "dcn_v2", "deepfm", "wide_deep")
ROLES = {
    "user": ["site", "price"],
    "item": ["hour", "age"],
    "context": ["device"],
    "domain": ["device"],
}
SCHEMA = zoo.FeatureSchema(
    dense=["price", "age"],
    categorical={"site": 7, "hour": 5, "device": 3},
)
# The sequences of networks that read a history.
SEQUENCES = {
    "sites": zoo.Sequence("site", max_length=6),
    "hours": zoo.Sequence("hour", max_length=6, parallel_to="sites"),
}
LABELS = ("click", "buy")
# For one step: TensorFlow takes long to compile, JAX takes longer without.
EAGERLY = keras.backend.backend() == "tensorflow"


def each_network(*often):
    """All networks as parameters; those not named run in `nox -s large`."""
    return [
        name if name in often else pytest.param(name, marks=pytest.mark.large)
        for name in NETWORKS
    ]


# Arguments that keep networks small.
SMALL = {
    "afm": {"attention_units": 4},
    "afn": {"logarithmic_neurons": 4, "ensemble": True, "deep_units": (6,)},
    "aoanet": {"num_subspaces": 2},
    "apg": {"rank": 2, "overparameterization": 8},
    "autoint": {"attention_units": 4, "num_layers": 1},
    "dcn_v2": {"low_rank": 3, "num_experts": 2},
    "destine": {"attention_units": 4, "num_layers": 1},
    "dlrm": {"bottom_units": (8,)},
    "dsin": {"num_sessions": 3, "lstm_layers": 1},
    "fi_gnn": {"num_layers": 2},
    "finalmlp": {"second_units": (6,), "gate_units": (4,)},
    "finalnet": {"second_units": (8, 6)},
    "interhat": {"attention_units": 4, "feedforward_units": 8},
    "mmoe": {"num_experts": 2, "tower_units": (8,), "gate_units": (4,)},
    "ple": {"tower_units": (8,), "gate_units": (4,)},
    "ppnet": {"gate_priors": ("site",), "gate_units": 4},
    "sam": {"num_layers": 2},
    "stem": {"tower_units": (8,), "gate_units": (4,)},
    "wukong": {"num_layers": 1, "pair_fields": 3, "mixed_fields": 3},
}


def build(network, schema=SCHEMA, **kwargs):
    cls = NETWORKS[network]
    schema = with_needs(cls, schema)
    small = {"embedding_dim": 4, "hidden_units": (8, 6)}
    return cls(schema, **{**small, **SMALL.get(network, {}), **kwargs})


def with_needs(cls, schema):
    """The schema with the roles, sequences and labels that a network needs."""
    if not isinstance(schema, zoo.FeatureSchema):
        return schema
    config = schema.get_config()
    if cls.ROLES and not schema.roles:
        known = [*schema.dense, *schema.categorical]
        config["roles"] = {
            role: [column for column in columns if column in known]
            for role, columns in ROLES.items()
        }
    if zoo.HistoryModel in cls.__mro__ and not schema.histories:
        config["sequences"] = [
            [name, each.get_config()] for name, each in SEQUENCES.items()
        ]
    if cls.SEVERAL_LABELS and len(schema.labels) == 1:
        config.pop("label", None)
        config["labels"] = LABELS
    return zoo.FeatureSchema.from_config(config)


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
        **_sequences(schema, rows, random),
    }


def predicted_and_kept(model, x, training=False):
    """Returns the predictions of a model, and what it keeps for its loss."""
    outputs = super(zoo.CTRModel, model).call(x, training=training)
    return outputs["probabilities"], outputs["kept"]


def clicks(model, x):
    """Labels that the model learns from, as `fit` takes them."""
    y = (x["ids"][:, :1] % 2).astype("float32")
    labels = model.schema.labels
    return y if len(labels) == 1 else dict.fromkeys(labels, y)


def _sequences(schema, rows, random):
    """Events, padded in front; the first row of each has none."""
    drawn = {}
    for names in schema.histories:
        longest = schema.sequences[names[0]].max_length
        lengths = random.integers(0, longest + 1, rows)
        lengths[:1] = 0
        padded = np.arange(longest) < longest - lengths[:, None]
        for name in names:
            size = schema.vocabularies[schema.vocabulary_of(name)]
            ids = random.integers(0, size, (rows, longest))
            drawn[name] = np.where(padded, -1, ids).astype("int32")
    return drawn
