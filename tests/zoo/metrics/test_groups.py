import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from zoo.metrics import TrainingDivergedError
from zoo.metrics import group_auc


def by_pandas(labels, probabilities, groups):
    """gAUC as one would write it: a loop over the groups."""
    rows = pd.DataFrame({"y": labels, "p": probabilities, "g": groups})
    counted = [g for _, g in rows.groupby("g") if g["y"].nunique() == 2]
    kept = sum(map(len, counted))
    aucs = [roc_auc_score(g["y"], g["p"]) * len(g) for g in counted]
    return {
        "gauc": sum(aucs) / kept if kept else None,
        "groups": len(counted),
        "left_out_share": 1 - kept / len(rows),
    }


def check(labels, probabilities, groups):
    found = group_auc(labels, probabilities, groups)
    expected = by_pandas(labels, probabilities, groups)
    assert found["groups"] == expected["groups"]
    assert found["left_out_share"] == pytest.approx(expected["left_out_share"])
    if expected["gauc"] is None:
        assert found["gauc"] is None
    else:
        assert found["gauc"] == pytest.approx(expected["gauc"], rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            # Few values, so that many predictions tie.
            st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0]),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_it_is_that_of_a_pandas_group_by(rows):
    check(*map(np.array, zip(*rows, strict=True)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_many_groups_are_those_of_a_pandas_group_by(dtype):
    random = np.random.default_rng(0)
    groups = random.zipf(1.3, 5000) % 400
    probabilities = random.random(5000).round(2).astype(dtype)
    labels = (random.random(5000) < probabilities * 0.4).astype("int8")
    check(labels, probabilities, groups)
    check(labels, probabilities, np.char.mod("user %d", groups))


def test_one_group_is_the_auc_and_order_does_not_matter():
    random = np.random.default_rng(1)
    labels, scores = random.integers(0, 2, 500), random.random(500)
    found = group_auc(labels, scores[:, None], np.zeros(500))
    auc = roc_auc_score(labels, scores)
    assert found == {
        "gauc": pytest.approx(auc, rel=1e-12),
        "groups": 1,
        "left_out_share": 0.0,
    }
    order, groups = random.permutation(500), random.integers(0, 50, 500)
    assert group_auc(labels, scores, groups) == group_auc(
        labels[order], scores[order], groups[order]
    )


def test_a_shift_of_each_group_changes_nothing():
    random = np.random.default_rng(2)
    labels, groups = random.integers(0, 2, 900), random.integers(0, 90, 900)
    scores = random.random(900)
    shifted = scores + random.permutation(90)[groups]
    assert group_auc(labels, shifted, groups)["gauc"] == pytest.approx(
        group_auc(labels, scores, groups)["gauc"], rel=1e-9
    )


def test_groups_of_one_class_are_left_out_and_counted():
    found = group_auc(
        np.array([1, 1, 0, 0, 1]), np.full(5, 0.5), np.array([1, 1, 2, 3, 3])
    )
    # In group 3 the two rows tie, which counts half.
    assert found == {"gauc": 0.5, "groups": 1, "left_out_share": 0.6}


def test_a_million_rows_take_no_loop_over_groups():
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 1_000_000, "int8")
    scores = random.random(1_000_000, "float32")
    groups = random.integers(0, 300_000, 1_000_000, "int32")
    start = time.process_time()
    found = group_auc(labels, scores, groups)
    # It is 0.5; a loop of scikit-learn takes minutes.
    assert time.process_time() - start < 10
    assert found["gauc"] == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([], [], []), "same number of rows.*Received: 0, 0 and 0 rows"),
        (([0, 1], [0.5, 0.5], [3]), "Received: 2, 2 and 1 rows"),
        (([0, 1], [0.5], [3, 3]), "Received: 2, 1 and 2 rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        group_auc(*map(np.array, arguments))


def test_predictions_that_are_not_finite_are_refused():
    with pytest.raises(TrainingDivergedError, match="1 values"):
        group_auc(np.array([0, 1]), np.array([0.5, np.nan]), np.array([1, 1]))
