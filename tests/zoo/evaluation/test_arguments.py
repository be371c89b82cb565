"""Arguments of a wrong type are refused by name."""

import pytest

import zoo
from tests.wrong_values import NO_PATHS
from tests.wrong_values import but_none
from tests.wrong_values import check_refused
from tests.wrong_values import each
from zoo.datasets import synthetic

NO_LOGS = ["encoded", 3, None]


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=3000)


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "preset": NO_PATHS,
            "log": NO_LOGS,
            "split": [3, "tests", ["test"], {}, None],
        }
    ),
)
def test_evaluate(log, name, value):
    right = {"preset": "deepfm_synthetic", "log": log}
    check_refused(
        name, value, lambda **wrong: zoo.evaluate(**{**right, **wrong})
    )


@pytest.mark.parametrize(
    "name, value",
    each({"preset": NO_PATHS, "log": NO_LOGS, "output": but_none(NO_PATHS)}),
)
def test_explain(log, name, value):
    right = {"preset": "deepfm_synthetic", "log": log}
    check_refused(
        name, value, lambda **wrong: zoo.explain(**{**right, **wrong})
    )
