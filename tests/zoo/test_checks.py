import json

import numpy as np
import pytest

import zoo
from zoo.checks import check_integer
from zoo.checks import check_positive_integer
from zoo.checks import is_positive_integer
from zoo.datasets import AVAZU
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.training.checkpoints import Checkpoints

SCHEMA = zoo.FeatureSchema(["price"], {"site": 10})
NO_POSITIVE_INTEGERS = [0, -1, 1.5, 2.0, True, None, "x", np.float32(2)]


@pytest.mark.parametrize("value", NO_POSITIVE_INTEGERS, ids=repr)
def test_what_is_no_positive_integer_is_refused(value):
    assert not is_positive_integer(value)
    with pytest.raises(ValueError) as error:
        check_positive_integer("batch_size", value)
    assert str(error.value) == (
        "`batch_size` must be a positive integer. "
        f"Received: batch_size={value!r}"
    )


@pytest.mark.parametrize("value", [1, np.int64(7), np.uint8(255)], ids=repr)
def test_positive_integers_pass(value):
    assert is_positive_integer(value)
    check_positive_integer("batch_size", value)
    check_integer("batch_size", value, 1)


@pytest.mark.parametrize("value", [-1, 1.5, False, None, "x"], ids=repr)
def test_an_integer_has_a_smallest_value(value):
    with pytest.raises(ValueError) as error:
        check_integer("seed", value, 0)
    assert str(error.value) == (
        f"`seed` must be an integer of at least 0. Received: seed={value!r}"
    )
    check_integer("seed", 0, 0)


@pytest.mark.parametrize("value", NO_POSITIVE_INTEGERS, ids=repr)
def test_all_arguments_are_checked_alike(value, tmp_path):
    for name, call in (
        ("batch_size", lambda: zoo.ClickBatches([], value)),
        ("keep_checkpoints", lambda: Checkpoints(tmp_path, {}, value)),
        ("categorical['a']", lambda: zoo.FeatureSchema([], {"a": value})),
        ("hidden_units", lambda: zoo.DeepFM(SCHEMA, hidden_units=[value])),
        ("embedding_dim", lambda: zoo.DCN(SCHEMA, embedding_dim=value)),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value).startswith(f"`{name}` must be ")
        assert f"Received: {name}=" in str(error.value)


def test_numpy_integers_are_taken():
    schema = zoo.FeatureSchema(["price"], {"site": np.int64(10)})
    assert schema.get_config() == SCHEMA.get_config()
    assert type(schema.categorical["site"]) is int


def test_integers_of_numpy_in_an_encoder_are_written_as_json():
    settings = EncoderSettings(
        AVAZU, min_count=np.int64(2), max_vocabulary=np.int32(9)
    )
    written = json.dumps([settings.min_count, settings.max_vocabulary])
    assert json.loads(written) == [2, 9]
