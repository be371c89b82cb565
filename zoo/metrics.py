"""Computes exact metrics of predicted probabilities on a whole split."""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

CALIBRATION_BINS = 20
# A log-loss of so many times that of the click rate is no matter of a few
# epochs more or less.
USELESS_FACTOR = 2
# The quantile of the normal distribution that leaves out 2.5 %.
_Z = 1.959963984540054


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
    if not np.isfinite(probabilities).all():
        raise TrainingDivergedError(
            "`probabilities` must be finite; the training has diverged: lower "
            f"the learning rates. Received: "
            f"{np.count_nonzero(~np.isfinite(probabilities))} values that "
            "are not"
        )
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


def warn_if_useless(labels: np.ndarray, metrics: dict[str, float]) -> None:
    """Warns if a model predicts far worse than no model at all would.

    The click rate itself, predicted for each row, has a log-loss of
    `h = -(p * ln(p) + (1 - p) * ln(1 - p))`. The log-loss of a model whose
    training diverged, or that predicts only 0 and 1, is a multiple of it.

    Args:
        labels: `(rows,)`, 0 or 1, of both classes.
        metrics: dict, what `exact_metrics` returned.
    """
    click_rate = float(np.mean(labels))
    without_model = float(
        -click_rate * np.log(click_rate)
        - (1 - click_rate) * np.log(1 - click_rate)
    )
    if metrics["log_loss"] > USELESS_FACTOR * without_model:
        warnings.warn(
            "The predictions are useless: the click rate, predicted for each "
            f"row, has a log-loss of {without_model:.4f}. Either the training "
            "diverged (lower the learning rates) or the numbers of the dense "
            "columns are too large (`dense_transform='minmax'` or 'log' of "
            f"`prepare`). Received: log-loss {metrics['log_loss']:.4f}, "
            f"calibration {metrics['calibration']:.4f}",
            UselessPredictionsWarning,
            stacklevel=3,
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


def calibration_bins(
    labels: np.ndarray,
    probabilities: np.ndarray,
    bins: int = CALIBRATION_BINS,
) -> dict[str, Any]:
    """Compares predictions with click rates in bins of equally many rows.

    `expected_calibration_error = sum over bins of
        rows / all rows * |mean prediction - click rate|`

    Bins end at quantiles of the prediction, as those of scikit-learn's
    `calibration_curve(strategy="quantile")`: equal predictions share a bin, and
    empty bins are left out. The interval of a click rate is Wilson's, of 95 %.

    Args:
        labels: `(rows,)`, 0 or 1.
        probabilities: `(rows,)`, in `[0, 1]`.
        bins: integer. Defaults to `20`.

    Returns:
        Dict of `expected_calibration_error`, `click_rate`, `mean_prediction`
        and `bins`: for each, `rows`, `clicks`, `mean_prediction`,
        `click_rate` and its interval, `low` and `high`.

    Example:

    >>> labels, scores = np.array([0, 1, 1, 1]), np.array([0.4, 0.4, 0.9, 0.9])
    >>> calibration_bins(labels, scores, bins=2)["expected_calibration_error"]
    0.1
    """
    probabilities = np.asarray(probabilities, dtype="float64")
    edges = np.quantile(probabilities, np.linspace(0, 1, bins + 1))
    places = np.searchsorted(edges[1:-1], probabilities)
    rows = np.bincount(places, minlength=bins)
    kept = rows > 0
    clicks = np.bincount(places, labels, bins)[kept]
    predicted = np.bincount(places, probabilities, bins)[kept]
    rows = rows[kept]
    low, high = _wilson_interval(clicks, rows)
    return {
        "expected_calibration_error": float(
            np.abs(predicted - clicks).sum() / len(labels)
        ),
        "click_rate": float(labels.mean()),
        "mean_prediction": float(probabilities.mean()),
        "bins": [
            {
                "rows": int(rows[i]),
                "clicks": int(clicks[i]),
                "mean_prediction": float(predicted[i] / rows[i]),
                "click_rate": float(clicks[i] / rows[i]),
                "low": float(low[i]),
                "high": float(high[i]),
            }
            for i in range(len(rows))
        ],
    }


def _wilson_interval(
    clicks: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    rate = clicks / rows
    centre = rate + _Z**2 / (2 * rows)
    reach = _Z * np.sqrt(rate * (1 - rate) / rows + _Z**2 / (4 * rows**2))
    scale = 1 + _Z**2 / rows
    # Rounding may put the end of an interval at 0 or 1 beyond it.
    low, high = (centre - reach) / scale, (centre + reach) / scale
    return low.clip(0, rate), high.clip(rate, 1)
