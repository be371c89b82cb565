"""Trains networks for several labels where rows lack labels."""

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.interop.weighted_model import named_weights
from zoo.registry import NETWORKS

RATES = {"learning_rate": 1e-2, "embedding_learning_rate": 1e-2}
# Of a stack, the second is that of the second label.
WEIGHTS = {
    "shared_bottom": ("towers_hidden_1/kernel", "hidden_1/kernel"),
    "mmoe": ("towers_hidden_1/kernel", "experts_hidden_1/kernel"),
    "ple": ("towers_hidden_1/kernel", "level_1_shared_hidden_1/kernel"),
    "aitm": ("towers_hidden_1/kernel", "embeddings/embeddings"),
    "stem": ("towers_hidden_1/kernel", "level_1_shared_hidden_1/kernel"),
    "dbmtl": ("towers_hidden_1/kernel", "hidden_1/kernel"),
}


def clicks(rows=16):
    return np.random.default_rng(2).integers(0, 2, (rows, 1)).astype("float32")


def values(model):
    return {
        name: np.array(keras.ops.convert_to_numpy(variable.value))
        for name, variable in named_weights(model).items()
    }


@pytest.mark.parametrize(
    "network",
    [
        name
        if name in ("mmoe", "aitm")
        else pytest.param(name, marks=pytest.mark.large)
        for name in WEIGHTS
    ],
)
def test_a_label_that_all_rows_lack_moves_no_tower(network):
    tower, shared = WEIGHTS[network]
    model = set_weights(build(network), deviation=0.3)
    model.compile(
        CowClip(**RATES),
        "binary_crossentropy",
        run_eagerly=EAGERLY,
    )
    x, before = inputs(SCHEMA), values(model)
    loss = model.train_on_batch(
        x,
        {"click": clicks(), "buy": np.zeros((16, 1), "float32")},
        sample_weight={
            "click": np.ones(16, "float32"),
            "buy": np.zeros(16, "float32"),
        },
    )
    assert np.isfinite(loss).all()
    after = values(model)
    np.testing.assert_array_equal(after[tower][1], before[tower][1])
    assert after["click/bias"][1] == before["click/bias"][1]
    assert not np.array_equal(after[tower][0], before[tower][0])
    assert not np.array_equal(after[shared], before[shared])
    assert all(np.isfinite(value).all() for value in after.values())


@pytest.mark.trained_often
@pytest.mark.parametrize("network", ["mmoe", "aitm"])
def test_one_label_is_enough(network):
    model = NETWORKS[network](SCHEMA, embedding_dim=4, hidden_units=(8, 6))
    model.compile(CowClip(**RATES), "binary_crossentropy", run_eagerly=EAGERLY)
    x = inputs(SCHEMA)
    model.fit(x, clicks(), epochs=1, verbose=0)
    predicted = model.predict(x, verbose=0)
    assert predicted.shape == (16, 1)
    assert np.isfinite(predicted).all()


@pytest.mark.trained_often
@pytest.mark.parametrize("network", ["esmm", "ple"])
def test_labels_may_have_any_names(network, tmp_path):
    labels = ("a click / view", "kept")
    schema = zoo.FeatureSchema(SCHEMA.dense, SCHEMA.categorical, labels=labels)
    model = set_weights(build(network, schema))
    x = inputs(schema)
    model.compile(CowClip(**RATES), "binary_crossentropy", run_eagerly=EAGERLY)
    # There Keras makes a scope of each label's name, which may have no spaces.
    if keras.backend.backend() != "tensorflow":
        model.fit(x, dict.fromkeys(labels, clicks()), epochs=1, verbose=0)
    expected = model.predict(x, verbose=0)
    assert set(expected) == set(labels)
    model.save_to_preset(tmp_path / "preset")
    received = zoo.from_preset(tmp_path / "preset").predict(x, verbose=0)
    for label in labels:
        np.testing.assert_array_equal(received[label], expected[label])


@pytest.mark.parametrize("activation", ["dice", "affine_dice", "prelu"])
def test_each_expert_has_weights_of_its_activation(activation):
    model = build("mmoe", num_experts=3, activation=activation)
    assert model.get_layer("experts_activation_1").alpha.shape == (3 * 8,)
