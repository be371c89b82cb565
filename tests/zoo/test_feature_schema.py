import json

import keras
import numpy as np
import pytest

from zoo import FeatureSchema
from zoo import Sequence

SCHEMA = FeatureSchema(["price"], {"site": 10, "hour": 5}, label="click")


def batch(**changes):
    return {
        "dense": np.zeros((4, 1), "float32"),
        "ids": np.zeros((4, 2), "int32"),
        **changes,
    }


def test_sizes():
    assert SCHEMA.num_dense == 1
    assert SCHEMA.num_fields == 2
    assert SCHEMA.vocabulary_sizes == [10, 5]
    assert SCHEMA.num_ids == 15


def test_keras_serialization_keeps_order_and_equality():
    config = keras.saving.serialize_keras_object(SCHEMA)
    again = keras.saving.deserialize_keras_object(config)
    assert again == SCHEMA
    assert FeatureSchema(["price"], {"hour": 5, "site": 10}, "click") != SCHEMA


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("ab", {"c": 3}), "`dense` must be a list.*Received: dense='ab'"),
        ((["a"], {}), "`categorical` must name at least one field"),
        ((["a"], {"a": 3}), "must differ from each other"),
        ((["a"], {"b": 0}), r"positive integer.*\['b'\]=0"),
        ((["a"], {"b": 2.5}), r"positive integer.*2\.5"),
        (([], {"a": 2**31}), r"less than 2\*\*31"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureSchema(*arguments)


@pytest.mark.parametrize(
    "inputs, message",
    [
        (None, "must be a dict"),
        ({"ids": np.zeros((4, 2), "int32")}, r"Received: \['ids'\]"),
        (
            batch(dense=np.zeros((4, 2))),
            r"`dense` must have shape \(batch, 1\)",
        ),
        (batch(ids=np.zeros((4,), "int32")), "`ids` must have shape"),
        (batch(ids=np.zeros((4, 2))), "must be integers.*float64"),
        (batch(ids=np.array([[0, 0], [-1, 0]])), "'site'.*id -1 in row 1"),
        (batch(ids=np.array([[10, 0]])), "'site'.*id 10 in row 0"),
        (batch(dense=np.array([[0.0], [np.inf]])), "'price'.*inf in row 1"),
        (batch(dense=np.array([[np.nan]])), "'price'.*nan in row 0"),
    ],
)
def test_check_names_the_column(inputs, message):
    with pytest.raises(ValueError, match=message):
        SCHEMA.check(inputs)


def test_check_takes_what_fits():
    SCHEMA.check(batch())
    SCHEMA.check(batch(ids=np.array([[9, 4]]), dense=np.array([[1e38]])))
    SCHEMA.check({"dense": np.zeros((0, 1)), "ids": np.zeros((0, 2), int)})


HISTORY = Sequence("site", max_length=3)
FULL = FeatureSchema(
    ["price"],
    {"site": 10, "hour": 5},
    labels=("click", "purchase"),
    sequences={"history": HISTORY, "tags": Sequence(vocabulary_size=7)},
    roles={"item": "site", "user": ["hour", "history"]},
    weight="importance",
)


def full_batch(history=((-1, -1, 9), (-1, -1, -1), (0, 1, 2), (3, 3, 3))):
    return batch(
        history=np.array(history, "int32"), tags=np.full((4, 50), -1, "int32")
    )


def test_sequences_labels_roles_and_a_weight():
    assert FULL.vocabularies == {"site": 10, "hour": 5, "tags": 7}
    assert FULL.num_ids == 22
    assert FULL.vocabulary_sizes == [10, 5]
    assert FULL.vocabulary_of("history") == "site"
    assert FULL.vocabulary_of("tags") == "tags"
    assert FULL.inputs() == {
        "dense": (1, "float32"),
        "ids": (2, "int32"),
        "history": (3, "int32"),
        "tags": (50, "int32"),
    }
    assert FULL.columns_of("item") == ["site"]
    FULL.check(full_batch())


def test_a_full_schema_keeps_everything_through_json():
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(FULL)))
    again = keras.saving.deserialize_keras_object(config)
    assert again == FULL
    assert again.sequences["history"] == HISTORY
    assert again.labels == ("click", "purchase")


def test_the_config_of_a_plain_schema_is_that_of_before():
    assert list(SCHEMA.get_config()) == ["dense", "categorical", "label"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"sequences": {"h": Sequence("sit")}}, "Did you mean 'site'"),
        ({"sequences": {"h": 5}}, r"`sequences\['h'\]` must be a `Sequence`"),
        ({"sequences": {"ids": HISTORY}}, "must have no name with a slash"),
        ({"sequences": {"hour": HISTORY}}, "must differ from each other"),
        ({"weight": "price"}, "must differ from each other"),
        ({"labels": ("a", "a")}, "must differ from each other"),
        ({"labels": "click"}, "`labels` must be a list"),
        ({"labels": ("a",), "label": "b"}, "instead of `label`"),
        ({"roles": {"user": 5}}, r"`roles\['user'\]` must be a column or"),
        ({"roles": {"user": []}}, r"`roles\['user'\]` must be a column or"),
        ({"roles": ["user"]}, "`roles` must be a `dict`"),
        ({"weight": 3}, "must be text.*Received: 3"),
        ({"labels": ["a", ""]}, "must be text, and not empty"),
        ({"roles": {"domain": "tab"}}, r"`roles\['domain'\]`.*'tab'"),
    ],
)
def test_a_full_schema_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureSchema(["price"], {"site": 10, "hour": 5}, **arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "either the `field`"),
        ({"field": "a", "vocabulary_size": 3}, "either the `field`"),
        ({"field": "a", "max_length": 0}, "`max_length` must be a positive"),
        ({"vocabulary_size": 2.5}, "`vocabulary_size` must be a positive"),
    ],
)
def test_a_sequence_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Sequence(**arguments)


@pytest.mark.parametrize(
    "history, message",
    [
        ([(0, 0, 10)] * 4, r"`history` must be in \[0, 10\).*id 10 in row 0"),
        ([(0, 0, 0)] * 3 + [(-2, 0, 0)], "id -2 in row 3"),
        ([(0, 0)] * 4, r"`history` must have shape \(batch, 3\)"),
        ([(0, 0, 0)] * 3, "same number of rows"),
        ([(0.0, 0, 0)] * 4, None),
    ],
)
def test_a_sequence_that_does_not_fit_is_refused(history, message):
    inputs = full_batch(history)
    if message is None:
        inputs["history"] = inputs["history"].astype("float32")
        message = "`history` must be integers"
    with pytest.raises(ValueError, match=message):
        FULL.check(inputs)


def test_a_role_that_lacks_is_named():
    with pytest.raises(ValueError, match="the role 'domain'"):
        FULL.columns_of("domain")
