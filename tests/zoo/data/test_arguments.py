"""Arguments of a wrong type or out of their range are refused by name."""

import pytest

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import check_refused
from tests.wrong_values import each
from zoo.datasets import synthetic

NO_COUNTS = ["1", 1.5, True, -1, [1], None]


@pytest.fixture(scope="module")
def split():
    return synthetic.make_log(rows=1000, max_vocabulary=50).split("train")


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "split": ["train", 3, [], None],
            "batch_size": NO_POSITIVE_INTEGERS,
            "shuffle": NO_BOOLEANS,
            "seed": NO_COUNTS,
            "drop_remainder": NO_BOOLEANS,
            "carry_remainder": NO_BOOLEANS,
        }
    ),
)
def test_click_batches(split, name, value):
    def call(**wrong):
        zoo.ClickBatches(**{"split": split, "batch_size": 10, **wrong})

    check_refused(name, value, call)


@pytest.mark.parametrize("method", ["start_at", "batch"])
@pytest.mark.parametrize(
    "name, value", each({"epoch": NO_COUNTS, "step": [*NO_COUNTS, 80]})
)
def test_a_place_in_the_batches(split, method, name, value):
    batches = zoo.ClickBatches(split, 10)

    def call(**wrong):
        getattr(batches, method)(**{"epoch": 0, "step": 0, **wrong})

    check_refused(name, value, call)
