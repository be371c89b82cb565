"""The blocks of FinalNet learn from each other."""

import numpy as np
import pytest
from keras import ops

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import predicted_and_kept
from tests.zoo.networks import set_weights

LABELS = zoo.FeatureSchema(
    SCHEMA.dense, SCHEMA.categorical, labels=("click", "buy")
)


def build(schema=SCHEMA, **arguments):
    arguments = {"hidden_units": (8, 6), "second_units": (4,), **arguments}
    return set_weights(zoo.FinalNet(schema, embedding_dim=4, **arguments))


def cross_entropy(target, logit):
    probability = 1 / (1 + np.exp(-logit))
    return -(
        target * np.log(probability) + (1 - target) * np.log(1 - probability)
    )


def arrays(tensors):
    return {name: ops.convert_to_numpy(each) for name, each in tensors.items()}


def test_each_block_learns_what_both_predict():
    model, x = build(), inputs()
    probabilities, tensors = predicted_and_kept(model, x)
    kept = arrays(tensors)
    click = model.predict(x, verbose=0)
    # The logit is the mean of the two, and the bias of the model.
    bias = ops.convert_to_numpy(model.get_layer("click").bias)
    mean = (kept["first"] + kept["second"]) / 2 + bias
    np.testing.assert_allclose(click, 1 / (1 + np.exp(-mean)), rtol=1e-5)
    y = np.ones((16, 1), "float32")
    extra = model.extra_loss(y, probabilities, tensors)
    expected = sum(
        cross_entropy(click, kept[name]).mean() for name in ("first", "second")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(extra), expected, rtol=1e-5)


def test_rows_without_weight_are_not_learned():
    model, x = build(LABELS), inputs()
    probabilities, tensors = predicted_and_kept(model, x)
    kept = arrays(tensors)
    weights = np.arange(16) % 2
    y = dict.fromkeys(LABELS.labels, np.ones((16, 1), "float32"))
    extra = model.extra_loss(
        y,
        probabilities,
        tensors,
        {"click": weights, "buy": np.zeros(16)},
    )
    click = model.predict(x, verbose=0)["click"][:, 0]
    expected = sum(
        (cross_entropy(click, kept[name][:, 0]) * weights).mean()
        for name in ("first", "second")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(extra), expected, rtol=1e-5)


@pytest.mark.trained_often
def test_it_trains_on_more_than_the_labels():
    x, y = inputs(), np.ones((16, 1), "float32")
    losses = {}
    for blocks in (1, 2):
        model = build(num_blocks=blocks)
        model.compile(CowClip(), "binary_crossentropy")
        usual = model.evaluate(x, y, verbose=0)
        losses[blocks] = model.train_on_batch(x, y), usual
    np.testing.assert_allclose(*losses[1], rtol=1e-5)
    assert losses[2][0] > losses[2][1] + 0.1


@pytest.mark.parametrize("name", ["hidden_units", "second_units"])
def test_widths_must_have_halves(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be even.*\(4, 3\)"):
        build(**{name: (4, 3)})
    build(**{name: (4, 3)}, residual="sum")
