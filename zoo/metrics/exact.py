"""Computes exact metrics of predicted probabilities on a whole split."""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

# A few more epochs do not mend a log-loss of so many times that of the click
# rate.
USELESS_FACTOR = 2


class TrainingDivergedError(ValueError):
    """The predictions of a model are no longer numbers."""


class UselessPredictionsWarning(UserWarning):
    """Predictions say far less than the click rate alone."""


def exact_metrics(
    labels: np.ndarray, probabilities: np.ndarray
) -> dict[str, float]:
    """Returns AUC, log-loss and calibration of predicted click probabilities.

    Unlike `keras.metrics.AUC`, whose thresholds are off by up to 3e-3 at low
    click rates, these are exact.

    Args:
        labels: `(rows,)`, 0 or 1.
        probabilities: `(rows,)` or `(rows, 1)`, in `[0, 1]`.

    Returns:
        Dict of `auc`, `log_loss` (nats a row) and `calibration` (mean
        prediction over click rate; 1 is unbiased).

    Raises:
        TrainingDivergedError: a `ValueError`, if a prediction is not finite.
        ValueError: if there is one class only.

    Example:

    >>> exact_metrics(np.array([0, 1]), np.array([0.25, 0.75]))["auc"]
    1.0
    """
    labels = np.asarray(labels).ravel()
    probabilities = np.asarray(probabilities, dtype="float64").ravel()
    check_finite(probabilities)
    if len(np.unique(labels)) != 2:
        raise ValueError(
            "AUC needs rows of both classes, clicks and non-clicks. "
            f"Received: labels={np.unique(labels).tolist()} "
            f"in {len(labels)} rows"
        )
    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "calibration": float(probabilities.mean() / labels.mean()),
    }


def check_finite(probabilities: np.ndarray) -> None:
    """Raises a `TrainingDivergedError` if a prediction is not finite."""
    if not np.isfinite(probabilities).all():
        raise TrainingDivergedError(
            "`probabilities` must be finite; the training has diverged: lower "
            f"the learning rates. Received: "
            f"{np.count_nonzero(~np.isfinite(probabilities))} values that "
            "are not"
        )


def warn_if_useless(labels: np.ndarray, metrics: dict[str, Any]) -> None:
    """Warns if the click rate alone would predict far better than a model.

    The click rate itself, predicted for each row, has a log-loss of
    `h = -(p * ln(p) + (1 - p) * ln(1 - p))`. The log-loss of a model whose
    training diverged, or that predicts only 0 and 1, is a multiple of it.

    Args:
        labels: `(rows,)`, 0 or 1, of both classes, or `(rows, labels)`, -1
            where a row lacks the label.
        metrics: dict, what `zoo.evaluation.evaluation.evaluate_split` returned.

    Warns:
        UselessPredictionsWarning: for each label with such predictions.
    """
    if not is_by_label(metrics):
        _warn_if_useless("The predictions", labels, metrics)
        return
    for column, (name, of_label) in zip(labels.T, metrics.items(), strict=True):
        what = f"The predictions of the label '{name}'"
        _warn_if_useless(what, column[column >= 0], of_label)


def is_by_label(metrics: dict[str, Any]) -> bool:
    """Whether metrics are those of several labels, by their names."""
    return all(isinstance(value, dict) for value in metrics.values())


def _warn_if_useless(
    what: str, labels: np.ndarray, metrics: dict[str, float]
) -> None:
    click_rate = float(np.mean(labels))
    without_model = float(
        -click_rate * np.log(click_rate)
        - (1 - click_rate) * np.log(1 - click_rate)
    )
    if metrics["log_loss"] > USELESS_FACTOR * without_model:
        warnings.warn(
            f"{what} are useless: the click rate, predicted for each "
            f"row, has a log-loss of {without_model:.4f}. Either the training "
            "diverged (lower the learning rates) or the numbers of the dense "
            "columns are too large (`dense_transform='minmax'` or 'log' of "
            f"`prepare`). Received: log-loss {metrics['log_loss']:.4f}, "
            f"calibration {metrics['calibration']:.4f}",
            UselessPredictionsWarning,
            stacklevel=4,
        )


def auc_standard_error(
    labels: np.ndarray, probabilities: np.ndarray
) -> float | None:
    """Returns the standard error of an AUC that is measured on a sample.

    `error = sqrt(var(shares of clicks) / clicks
        + var(shares of non-clicks) / non_clicks)`

    The share of a click is the share of non-clicks below it, that of a
    non-click the share of clicks above it; ties count half.

    Args:
        labels: `(rows,)`, 0 or 1.
        probabilities: `(rows,)`.

    Returns:
        The standard error, or `None` if a class has less than two rows.

    Example:

    >>> labels, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.5, 0.9])
    >>> auc_standard_error(labels, scores)
    0.3535533905932738

    Reference:
    - DeLong, DeLong & Clarke-Pearson, 1988, "Comparing the areas under two or
      more correlated receiver operating characteristic curves".
    """
    clicks = np.sort(probabilities[labels == 1])
    others = np.sort(probabilities[labels == 0])
    if min(len(clicks), len(others)) < 2:
        return None
    variances = (
        _shares_below(these, those).var(ddof=1) / len(these)
        for these, those in ((clicks, others), (others, clicks))
    )
    return float(np.sqrt(sum(variances)))


def _shares_below(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    below = np.searchsorted(those, these, side="left")
    not_above = np.searchsorted(those, these, side="right")
    return (below + not_above) / (2 * len(those))
