import json

import numpy as np
import pytest

import zoo
from zoo.checks import check_choice
from zoo.checks import check_integer
from zoo.checks import check_names
from zoo.checks import check_positive
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.checks import is_positive_integer
from zoo.data.encoded_log import EncodedLog
from zoo.datasets import AVAZU
from zoo.datasets.formats import version_of
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.training.checkpoints import Checkpoints
from zoo.training.recipe import make_recipe

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


@pytest.mark.parametrize(
    "check, rule, fit, unfit",
    [
        (check_positive, "a number that is positive", [1, 0.1], [0, -1, True]),
        (check_rate, "a number in [0, 1)", [0, 0.5], [1, -0.1, (0.1,)]),
        (
            check_names,
            "a tuple or list of names",
            [(), ("site",), ["site"]],
            ["site", (1,), None],
        ),
    ],
)
def test_positive_numbers_rates_and_names(check, rule, fit, unfit):
    for value in fit:
        check("argument", value)
    for value in unfit:
        with pytest.raises(ValueError) as error:
            check("argument", value)
        assert str(error.value) == (
            f"`argument` must be {rule}. Received: argument={value!r}"
        )


@pytest.mark.parametrize(
    "value, question",
    [
        ("deepfmm", "Did you mean 'deepfm'? "),
        ("DeepFM", "Did you mean 'deepfm'? "),
        ("gpt", ""),
        (["deepfm"], "Did you mean 'deepfm'? "),
        ({}, ""),
        (3, ""),
        (None, ""),
    ],
)
def test_a_choice_proposes_what_it_resembles(value, question):
    with pytest.raises(ValueError) as error:
        check_choice("model", value, {"dcn": 1, "deepfm": 2})
    assert str(error.value) == (
        f"`model` must be one of ['dcn', 'deepfm']. {question}"
        f"Received: model={value!r}"
    )


def test_choices_pass():
    check_choice("verbose", True, ("auto", 0, 1))
    check_choice("verbose", "auto", ("auto", 0, 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda: zoo.Recipe(model="deepfmm"),
        lambda: zoo.create_model("deepfmm", SCHEMA),
        lambda: zoo.Recipe(rule="cowclp"),
        lambda: zoo.Recipe(decay="cosin"),
        lambda: zoo.Recipe(clip_variant="fields"),
        lambda: make_recipe(learning_rat=1),
        lambda: zoo.create_model("dcn", SCHEMA, cross_layers=2),
        lambda: zoo.from_preset("deepfm_synthetc"),
        lambda: zoo.RecipeFile.load("criteo_deepfm_128"),
        lambda: zoo.datasets.fetch("reczoo/Criteo_x5"),
        lambda: version_of("train.txt", "avazu_x5", {"avazu_x4": AVAZU}),
        lambda: EncodedLog(SCHEMA, {"train": None}, "log").split("trian"),
        lambda: EncoderSettings(AVAZU, dense_transform="logs"),
        lambda: zoo.prepare(AVAZU, "train.csv", "encoded", engine="sparks"),
        lambda: zoo.prepare(AVAZU, "train.csv", "encoded", fit_on="trains"),
        lambda: zoo.export("deepfm_synthetic", "model", "onx"),
        lambda: zoo.import_checkpoint("model.pt", "fuxictrl", {}),
    ],
)
def test_whoever_asks_for_a_choice_proposes_one(call):
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        call()
    assert ". Did you mean '" in str(error.value)
    assert "'? Received: " in str(error.value)


@pytest.mark.parametrize("value", NO_POSITIVE_INTEGERS, ids=repr)
def test_all_arguments_are_checked_alike(value, tmp_path):
    for name, call in (
        ("batch_size", lambda: zoo.ClickBatches([], value)),
        ("keep", lambda: Checkpoints(tmp_path, {}, value)),
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
