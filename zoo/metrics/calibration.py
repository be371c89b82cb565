"""Compares predicted probabilities with click rates, bin by bin."""

from typing import Any

import numpy as np

CALIBRATION_BINS = 20
# The quantile of the normal distribution that leaves out 2.5 %.
_Z = 1.959963984540054


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
