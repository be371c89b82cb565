"""Checks what networks train on beside the cross-entropy of their output."""

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import inputs
from tests.zoo.networks import predicted_and_kept
from tests.zoo.networks import set_weights

CLICKS = np.random.default_rng(3).integers(0, 2, (16, 1)).astype("float32")
LABELS = ("click", "buy")


def cross_entropy(y, logit, weight=1.0):
    click = 1 / (1 + np.exp(-np.asarray(logit, "float64")))
    loss = -y * np.log(click) - (1 - y) * np.log(1 - click)
    return np.mean(weight * loss)


def kept_by(model, training=False):
    probabilities, kept = predicted_and_kept(model, inputs(), training)
    return probabilities, {
        name: keras.ops.convert_to_numpy(tensor)
        for name, tensor in kept.items()
    }


def tri_bce(y, kept, weight=1.0):
    alone = [cross_entropy(y, each, weight) for each in kept]
    together = cross_entropy(y, sum(kept) / 2, weight)
    return sum(each * max(0, each - together) for each in alone)


def test_fcn_adds_to_the_loss_what_a_branch_is_worse():
    model = set_weights(build("fcn"), deviation=0.3)
    probabilities, kept = kept_by(model)
    weights = np.linspace(0, 2, 16, dtype="float32")
    for weight in (None, weights):
        received = model.extra_loss(CLICKS, probabilities, kept, weight)
        column = 1.0 if weight is None else weight[:, np.newaxis]
        expected = tri_bce(CLICKS, list(kept.values()), column)
        assert expected > 0
        np.testing.assert_allclose(float(received), expected, rtol=1e-4)


def test_fcn_has_such_a_loss_for_each_label():
    schema = zoo.FeatureSchema(SCHEMA.dense, SCHEMA.categorical, labels=LABELS)
    model = set_weights(build("fcn", schema), deviation=0.3)
    probabilities, kept = kept_by(model)
    y = {"click": CLICKS, "buy": 1 - CLICKS}
    expected = sum(
        tri_bce(y[name], [each[:, i : i + 1] for each in kept.values()])
        for i, name in enumerate(LABELS)
    )
    received = model.extra_loss(y, probabilities, kept)
    np.testing.assert_allclose(float(received), expected, rtol=1e-4)


def test_qnn_predicts_the_mean_of_two_passes():
    model = set_weights(build("qnn", quadratic_dropout=0.5), deviation=0.2)
    probabilities, kept = kept_by(model, training=True)
    assert not np.array_equal(kept["first"], kept["second"])
    clicks = [1 / (1 + np.exp(-each)) for each in kept.values()]
    received = keras.ops.convert_to_numpy(probabilities)
    np.testing.assert_allclose(received, sum(clicks) / 2, atol=1e-6)
    extra = model.extra_loss(CLICKS, probabilities, kept)
    expected = sum(cross_entropy(received, each) for each in kept.values())
    np.testing.assert_allclose(float(extra), expected, rtol=1e-4)


def test_qnn_passes_once_where_it_does_not_train():
    model = set_weights(build("qnn", quadratic_dropout=0.5), deviation=0.2)
    without = set_weights(build("qnn"), deviation=0.2)
    _, kept = kept_by(model)
    np.testing.assert_array_equal(kept["first"], kept["second"])
    np.testing.assert_allclose(
        model.predict(inputs(), verbose=0),
        without.predict(inputs(), verbose=0),
        atol=1e-6,
    )


@pytest.mark.trained_often
@pytest.mark.parametrize(
    "network, arguments",
    [
        ("fcn", {"exponential_dropout": 0.1, "linear_dropout": 0.2}),
        ("qnn", {"quadratic_dropout": 0.1, "normalization": "batch"}),
    ],
)
def test_they_train(network, arguments):
    model = set_weights(build(network, **arguments), deviation=0.1)
    model.compile(CowClip(), "binary_crossentropy")
    history = model.fit(inputs(), CLICKS, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
