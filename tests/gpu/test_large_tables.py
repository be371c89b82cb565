"""10 and 33 million ids train, in the memory that they must take."""

import json

import numpy as np
import pytest

from . import child


@pytest.mark.parametrize("ids", ["10M", "33M"])
def test_a_large_table_trains_in_four_times_its_memory(ids, sizes, on_card):
    report = json.loads(
        child.run(
            "large_table", *sizes.large_tables[ids], *sizes.hidden_units
        ).splitlines()[-1]
    )
    assert (report["accelerator"] is not None) == on_card
    first, last = report["losses"]
    assert np.isfinite([first, last]).all()
    assert last < first
    # The weights, two moments and the gradient; the counts and theirs.
    limit = 4 * report["table_bytes"] + 2 * report["count_bytes"]
    assert report["peak_bytes"] > 3 * report["table_bytes"]
    assert report["peak_bytes"] < limit + sizes.other_bytes
