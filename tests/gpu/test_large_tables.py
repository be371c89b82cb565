"""10 and 33 million ids train, in the memory that they must take."""

import json

import keras
import numpy as np
import pytest

from . import child
from .sizes import ON_CPU
from .sizes import ON_GPU

pytestmark = pytest.mark.large


def pytest_generate_tests(metafunc):
    on_gpu = metafunc.config.getoption("--accelerator")
    metafunc.parametrize("ids", (ON_GPU if on_gpu else ON_CPU).large_tables)


def test_a_large_table_trains_in_the_memory_it_must_take(ids, sizes, on_gpu):
    report = json.loads(
        child.run(
            "large_table", *sizes.large_tables[ids], *sizes.hidden_units
        ).splitlines()[-1]
    )
    assert (report["accelerator"] is not None) == on_gpu
    first, last = report["losses"]
    assert np.isfinite([first, last]).all()
    assert last < first
    # The weights, two moments and the gradient; the counts and theirs. On a
    # CPU TensorFlow has twice that at once, compiled by XLA or not.
    of_table = 4 if on_gpu or keras.backend.backend() != "tensorflow" else 8
    limit = of_table * report["table_bytes"] + 2 * report["count_bytes"]
    assert report["peak_bytes"] > 3 * report["table_bytes"]
    assert report["peak_bytes"] < limit + sizes.other_bytes
