"""Exact metrics of click predictions, on the whole split at once."""

import numpy as np
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score


class TrainingDivergedError(ValueError):
    """The predictions of a model are no longer numbers."""


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
