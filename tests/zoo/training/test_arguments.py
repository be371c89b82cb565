"""Arguments of a wrong type or out of their range are refused by name."""

import json
import math

import keras
import numpy as np
import pytest

import zoo
from tests.wrong_values import NEGATIVE
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_DECAY_RATES
from tests.wrong_values import NO_PATHS
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import but_none
from tests.wrong_values import check_refused
from tests.wrong_values import each
from zoo.datasets import synthetic

NO_UNITS = [8, "400", 2.5, {"a": 1}, True, [8.5], ["8"], [0], [[8]], None]
NO_CHOICES = [3, ["deepfm"], {}, "", "gpt", None]
NO_SEEDS = ["1", 1.5, True, -1, 2**32, [1], None]


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=1000, max_vocabulary=50)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "batch_size": NO_POSITIVE_INTEGERS,
            "epochs": NO_POSITIVE_INTEGERS,
            "learning_rate": but_none(NEGATIVE),
            "embedding_learning_rate": NEGATIVE,
            "embedding_l2": NEGATIVE,
            "clip_ratio": but_none(NEGATIVE),
            "clip_floor": NEGATIVE,
            "warmup_epochs": [*NEGATIVE, math.inf],
            "embedding_dim": NO_POSITIVE_INTEGERS,
            "embedding_deviation": [*NEGATIVE, 0.0],
            "hidden_units": NO_UNITS,
            "dropout": NO_DECAY_RATES,
            "dtype": [3, True, "float31", [], {}],
            "lazy": NO_BOOLEANS,
            "patience": but_none(NO_POSITIVE_INTEGERS),
            "seed": NO_SEEDS,
        }
    ),
)
def test_recipe(name, value):
    check_refused(name, value, zoo.Recipe)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "model": NO_CHOICES,
            "rule": NO_CHOICES,
            "decay": NO_CHOICES,
            "clip_variant": NO_CHOICES,
        }
    ),
)
def test_choices_of_a_recipe(name, value):
    check_refused(name, value, zoo.Recipe)


@pytest.mark.parametrize("name, value", each({"clip_threshold": NEGATIVE}))
def test_the_threshold_of_a_constant_clip(name, value):
    check_refused(
        name, value, lambda **wrong: zoo.Recipe(clip_variant="field", **wrong)
    )


def test_a_recipe_of_numpy_s_numbers_can_be_written_as_json():
    numbers = {
        "batch_size": np.int64(64),
        "epochs": np.int32(2),
        "embedding_dim": np.int64(4),
        "hidden_units": [np.int64(8), 4],
        "dropout": np.float32(0.5),
        "embedding_l2": np.float64(1e-5),
        "lazy": np.bool_(True),
        "dtype": keras.DTypePolicy("float32"),
    }
    recipe = zoo.Recipe(**numbers)
    recipe.make_network(zoo.FeatureSchema(["price"], {"site": 3}))
    written = json.loads(json.dumps(recipe.hyperparameters()))
    assert written["hidden_units"] == [8, 4]
    assert written["dropout"] == 0.5
    assert written["dtype"] == "float32"


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "log": ["encoded", 3, None],
            "output": NO_PATHS,
            "initial_model": but_none(NO_PATHS),
            "resume": NO_BOOLEANS,
            "checkpoint_steps": but_none(NO_POSITIVE_INTEGERS),
            "keep_checkpoints": NO_POSITIVE_INTEGERS,
            "devices": [2, "all", None],
            "verbose": ["loud", -1, 2.5, [], None],
            "batch_size": NO_POSITIVE_INTEGERS,
        }
    ),
)
def test_train(log, tmp_path, name, value):
    def call(**wrong):
        zoo.train(**{"log": log, "output": tmp_path / "run", **wrong})

    check_refused(name, value, call)
    assert not list(tmp_path.iterdir())
