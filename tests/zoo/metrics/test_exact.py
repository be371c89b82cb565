import numpy as np
import pytest

from zoo.metrics import exact_metrics


def test_metrics_by_hand():
    metrics = exact_metrics(
        np.array([0, 0, 1, 1]), np.array([[0.1], [0.6], [0.5], [0.8]])
    )
    assert metrics["auc"] == 0.75  # three of the four pairs are in order
    loss = -np.mean(np.log([0.9, 0.4, 0.5, 0.8]))
    assert metrics["log_loss"] == pytest.approx(loss, rel=1e-12)
    assert metrics["calibration"] == pytest.approx(1.0)


def test_one_class_only_is_refused():
    with pytest.raises(ValueError, match=r"both classes.*labels=\[1\]"):
        exact_metrics(np.ones(3, "int8"), np.full(3, 0.5))


def test_predictions_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="diverged.*1 values"):
        exact_metrics(np.array([0, 1]), np.array([0.5, np.nan]))
