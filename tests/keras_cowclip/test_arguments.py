"""Arguments of a wrong type or out of their range are refused by name."""

import keras
import pytest

import keras_cowclip
from tests.wrong_values import NEGATIVE
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_DECAY_RATES
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import but_none
from tests.wrong_values import check_refused
from tests.wrong_values import each

NO_RULES = [3, ["cowclip"], {}, "", "cube", None]


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "learning_rate": NEGATIVE,
            "embedding_learning_rate": NEGATIVE,
            "embedding_l2": NEGATIVE,
            "clip_ratio": but_none(NEGATIVE),
            "clip_floor": NEGATIVE,
            "beta_1": NO_DECAY_RATES,
            "beta_2": NO_DECAY_RATES,
            "epsilon": NEGATIVE,
            "lazy": NO_BOOLEANS,
            "frequency_scale": [*NEGATIVE, 0.0],
            "embedding_accumulation_steps": NO_POSITIVE_INTEGERS,
            "embedding_beta_1": but_none(NO_DECAY_RATES),
            "embedding_beta_2": but_none(NO_DECAY_RATES),
            "embedding_epsilon": but_none(NEGATIVE),
        }
    ),
)
def test_cowclip(name, value):
    check_refused(name, value, keras_cowclip.CowClip)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "optimizer": ["adam", 3, None],
            "base_batch_size": NO_POSITIVE_INTEGERS,
            "batch_size": NO_POSITIVE_INTEGERS,
            "rule": NO_RULES,
            "embedding_l2": NEGATIVE,
        }
    ),
)
def test_from_optimizer(name, value):
    right = {
        "optimizer": keras.optimizers.Adam(1e-3),
        "base_batch_size": 256,
        "batch_size": 512,
    }

    def call(**wrong):
        keras_cowclip.CowClip.from_optimizer(**{**right, **wrong})

    check_refused(name, value, call)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "batch_size": NO_POSITIVE_INTEGERS,
            "base_batch_size": NO_POSITIVE_INTEGERS,
            "rule": NO_RULES,
            "learning_rate": NEGATIVE,
            "embedding_learning_rate": NEGATIVE,
            "embedding_l2": NEGATIVE,
            "beta_1": NO_DECAY_RATES,
            "beta_2": NO_DECAY_RATES,
            "epsilon": NEGATIVE,
        }
    ),
)
def test_scale_hyperparameters(name, value):
    def call(**wrong):
        keras_cowclip.scale_hyperparameters(**{"batch_size": 1024, **wrong})

    check_refused(name, value, call)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "input_dim": NO_POSITIVE_INTEGERS,
            "output_dim": NO_POSITIVE_INTEGERS,
            "clip": NO_BOOLEANS,
        }
    ),
)
def test_cowclip_embedding(name, value):
    def call(**wrong):
        right = {"input_dim": 10, "output_dim": 3}
        keras_cowclip.CowClipEmbedding(**{**right, **wrong})

    check_refused(name, value, call)
