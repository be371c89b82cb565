"""Shifts the scores of a planted truth to a rate of clicks."""

import numpy as np

CLICK_RATE = 0.25
"""The share of clicks in all synthetic logs."""


def logits_at_rate(score: np.ndarray, rate: float) -> np.ndarray:
    """Returns a score plus the constant at which `sigmoid` has a mean.

    Args:
        score: `(rows,)` float64.
        rate: float in `(0, 1)`, the mean probability.
    """
    low, high = -10.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        if np.mean(sigmoid(score + middle)) < rate:
            low = middle
        else:
            high = middle
    return score + low


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Returns the probabilities of logits."""
    return 1 / (1 + np.exp(-logits))
