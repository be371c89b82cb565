"""A model that does not fit a log is refused by the name of what differs."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_cowclip
import zoo
from tests.zoo import own_networks
from zoo.models.fit_check import check_fits

HISTORY = {"history": zoo.Sequence("site", max_length=3)}
SCHEMA = zoo.FeatureSchema(["price"], {"site": 7, "hour": 5}, sequences=HISTORY)
LABELS = zoo.FeatureSchema(["price"], {"site": 7}, labels=["click", "buy"])


def model_of(change=None, rows=7, padding="mask", output="sigmoid"):
    """A functional model that fits `SCHEMA`, or nearly."""
    inputs = own_networks.inputs_of(SCHEMA) | (change or {})
    table = keras_cowclip.CowClipEmbedding(rows, 2, name="sites")
    history = inputs["history"]
    events = {
        "mask": lambda: table(history, padding_mask=history >= 0),
        "looked up": lambda: table(history),
        "replaced": lambda: table(ops.maximum(history, 0)),
    }[padding]()
    site = ops.squeeze(table(inputs["ids"][:, :1]), axis=1)
    vectors = ops.concatenate([site, ops.mean(events, axis=1)], axis=1)
    click = keras.layers.Dense(1, output, name="click")(vectors)
    return keras.Model(inputs, click)


class Called(keras.Model):
    """A subclass that returns what a function makes of a batch."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


def refused(model, schema=SCHEMA):
    with pytest.raises(ValueError, match="Received: ") as refusal:
        check_fits(model, schema)
    return str(refusal.value)


@pytest.mark.parametrize("padding", ["mask", "replaced"])
def test_a_model_that_fits_is_let_through(padding):
    check_fits(model_of(padding=padding), SCHEMA)
    check_fits(own_networks.functional(LABELS), LABELS)


def test_a_subclass_gets_its_weights():
    model = own_networks.HistoryTower(items=7)
    check_fits(model, SCHEMA)
    assert model.count_params() > 0


@pytest.mark.parametrize(
    "name, given, message",
    [
        (
            "ids",
            keras.Input((2,), name="ids"),
            r"'ids' as int32: `keras.Input\(\(2,\), dtype='int32'\)`",
        ),
        (
            "ids",
            keras.Input((3,), dtype="int32", name="ids"),
            r"'ids' with the shape \(batch, 2\). Received: \(None, 3\)",
        ),
        (
            "dense",
            keras.Input((1,), dtype="int32", name="dense"),
            "'dense' as float32",
        ),
        (
            "history",
            keras.Input((3, 1), dtype="int32", name="history"),
            r"'history' with the shape \(batch, 3\)",
        ),
        (
            "weather",
            keras.Input((1,), name="weather"),
            r"names of the log's.*Received: \['dense', 'history', 'ids', 'w",
        ),
    ],
)
def test_other_inputs_are_named(name, given, message):
    inputs = own_networks.inputs_of(SCHEMA) | {name: given}
    price = ops.cast(inputs["dense"], "float32")
    model = keras.Model(inputs, ops.sigmoid(price))
    with pytest.raises(ValueError, match=message):
        check_fits(model, SCHEMA)


def test_inputs_that_lack_or_have_no_names_are_refused():
    inputs = own_networks.inputs_of(SCHEMA)
    del inputs["history"]
    click = ops.sigmoid(inputs["dense"])
    for given in (inputs, inputs["dense"]):
        model = keras.Model(given, click)
        assert "'history': (batch, 3) int32" in refused(model)
    message = refused(Called(lambda x: x["weather"]))
    assert "KeyError" in message and "weather" in message


def test_a_table_with_too_few_rows_is_named():
    message = refused(model_of(rows=6))
    assert "layer 'sites' has the ids [0, 6). Received: id 6" in message


def test_padding_that_is_looked_up_is_refused():
    message = refused(model_of(padding="looked up"))
    assert "'sites' has the ids [0, 7). Received: id -1" in message


def test_ids_of_a_layer_within_a_layer_are_seen():
    message = refused(own_networks.HistoryTower(items=4))
    assert "has the ids [0, 4). Received: id 6" in message


@pytest.mark.parametrize(
    "output, message",
    [
        (lambda x: x["dense"], r"in \[0, 1\]: its last layer has no `activat"),
        (lambda x: x["dense"] * np.nan, r"is not finite.*Received: nan"),
        (
            lambda x: x["dense"][:, 0],
            r"shape \(batch, 1\). Received: shape \(6",
        ),
        (
            lambda x: 0.5 * ops.ones_like(x["ids"], "float32"),
            r"Received: shape \(64, 2\)",
        ),
        (lambda x: {"click": x["dense"]}, r"shape \(batch, 1\)"),
    ],
)
def test_outputs_that_are_no_probabilities_are_refused(output, message):
    with pytest.raises(ValueError, match=message):
        check_fits(Called(output), SCHEMA)


@pytest.mark.parametrize(
    "output, message",
    [
        (lambda p: p, r"each label.*\['click', 'buy'\]. Received: shape \(64"),
        (lambda p: {"click": p}, r"each label.*Received: \['click'\]"),
        (lambda p: {"click": p, "buy": 2 + p}, r"label 'buy' must.*\[0, 1\]"),
    ],
)
def test_each_label_needs_its_output(output, message):
    model = Called(lambda x: output(ops.sigmoid(x["dense"])))
    with pytest.raises(ValueError, match=message):
        check_fits(model, LABELS)


def test_the_model_is_as_it_was():
    model = model_of()
    weights = [variable.numpy() for variable in model.variables]
    check_fits(model, SCHEMA)
    for variable, value in zip(model.variables, weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert not [layer for layer in model.layers if "call" in vars(layer)]
