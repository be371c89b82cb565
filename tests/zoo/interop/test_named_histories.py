"""Histories that DeepCTR-Torch names after their fields."""

from types import SimpleNamespace

import pytest

import zoo
from zoo.interop.histories import read_named_histories
from zoo.interop.original import Original


def original(*fields):
    sequences = {
        name: zoo.Sequence(name.rpartition("_")[2])
        for name in ("hist_hour", "words", "hist_site")
    }
    columns = SimpleNamespace(
        categorical={"site": 7, "hour": 5, "words": 3},
        sequences=sequences,
        schema=None,
    )
    return Original(None, columns, {"listed": list(fields)})


def test_each_is_in_the_order_of_its_columns():
    read = original("hour", "site")
    history, others = read_named_histories(read, "listed")
    assert history == ("hist_hour", "hist_site")
    assert others == ("words",)
    assert read.arguments["histories"] == (history,)
    assert read.arguments["targets"] == (("site", "hour"),)


@pytest.mark.parametrize("fields", [[], ["words"], ["site", "page"]])
def test_a_field_must_have_a_sequence(fields):
    with pytest.raises(ValueError, match=r"config\['listed'\].*'hist_'.*Rec"):
        read_named_histories(original(*fields), "listed")
