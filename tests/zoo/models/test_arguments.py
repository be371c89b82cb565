"""Arguments of a wrong type or out of their range are refused by name."""

import math

import numpy as np
import pytest

from tests.wrong_values import NEGATIVE
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_DECAY_RATES
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import check_refused
from tests.wrong_values import each
from tests.zoo.networks import FIRST
from tests.zoo.networks import build

NO_UNITS = [8, "400", 2.5, {"a": 1}, True, [8.5], ["8"], [0], [[8]], None]
NO_DTYPES = [3, True, "float31", [], {}]
OF_ALL = {
    "schema": [{}, "x", None],
    "embedding_dim": NO_POSITIVE_INTEGERS,
    "hidden_units": NO_UNITS,
    "dropout": NO_DECAY_RATES,
    "linear_l2": NEGATIVE,
    "embedding_deviation": [*NEGATIVE, 0.0, math.inf],
    "dtype": NO_DTYPES,
}
OF_CROSS = {"num_cross_layers": NO_POSITIVE_INTEGERS, "cross_l2": NEGATIVE}
OWN = {
    "dcn": OF_CROSS,
    "dcn_v2": {
        **OF_CROSS,
        "low_rank": NO_POSITIVE_INTEGERS,
        "num_experts": NO_POSITIVE_INTEGERS,
        "mixture": NO_BOOLEANS,
    },
}


@pytest.mark.parametrize("network", FIRST)
@pytest.mark.parametrize("name, value", each(OF_ALL))
def test_every_network(network, name, value):
    check_refused(name, value, lambda **wrong: build(network, **wrong))


@pytest.mark.parametrize(
    "network, name, value",
    [
        pytest.param(network, *case.values, id=f"{network}-{case.id}")
        for network, wrong in OWN.items()
        for case in each(wrong)
    ],
)
def test_arguments_of_one_network(network, name, value):
    check_refused(name, value, lambda **wrong: build(network, **wrong))


@pytest.mark.parametrize(
    "name, value",
    each({"embedding_dim": [np.int64(4)], "hidden_units": [[np.int64(4)]]}),
)
def test_integers_of_numpy(name, value):
    check_refused(name, value, lambda **wrong: build("deepfm", **wrong))
