import keras
import numpy as np
import pytest

from zoo import FeatureSchema

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
