"""Cross-entropies for the networks that train on more than the usual loss."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

Tensor = Any


def of_label(values: Any, label: str) -> Any:
    """Returns the value of a label, or `values` itself if it is no dict."""
    return values[label] if isinstance(values, dict) else values


def row_weights(sample_weight: Any) -> Any:
    """Returns the weight of each row, `(batch, 1)`, or 1 without weights.

    Of several labels a row has the largest of their weights: a label that it
    lacks has 0.

    Args:
        sample_weight: as `CTRModel.extra_loss` gets it.
    """
    if sample_weight is None:
        return 1.0
    if isinstance(sample_weight, dict):
        each = [w for w in sample_weight.values() if w is not None]
        if not each:
            return 1.0
        sample_weight = ops.max(
            ops.stack([ops.reshape(w, (-1,)) for w in each]), axis=0
        )
    return ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))


def cross_entropy(
    y: Tensor, logits: Tensor, sample_weight: Tensor | None = None
) -> Tensor:
    """Returns the mean cross-entropy of a label, weighted as Keras does it.

    Args:
        y: `(batch,)` or `(batch, 1)`, labels or probabilities.
        logits: `(batch,)` or `(batch, 1)`.
        sample_weight: `(batch,)`. Defaults to `None`, all 1.
    """
    loss = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float32")
    y, logits = (
        ops.reshape(ops.cast(each, "float32"), (-1, 1)) for each in (y, logits)
    )
    return loss(y, logits, sample_weight=sample_weight)


def taught_loss(
    labels: Iterable[str],
    probabilities: Any,
    students: Iterable[Tensor],
    sample_weight: Any = None,
) -> Tensor:
    """Returns the cross-entropy of logits with what a network predicts.

    No gradient passes into what it predicts.

    Args:
        labels: the names of the labels.
        probabilities, sample_weight: as `CTRModel.extra_loss` gets them.
        students: `(batch, labels)` logits, whose losses are added up.
    """
    total = 0.0
    for i, label in enumerate(labels):
        teacher = ops.stop_gradient(of_label(probabilities, label))
        weight = of_label(sample_weight, label)
        for student in students:
            total = total + cross_entropy(
                teacher, student[:, i : i + 1], weight
            )
    return total


def logit_of_mean(first: Tensor, second: Tensor) -> Tensor:
    """Returns the logit of the mean of two probabilities, from their logits."""
    first, second = ops.cast(first, "float32"), ops.cast(second, "float32")
    click, none = (
        ops.logaddexp(
            ops.log_sigmoid(sign * first), ops.log_sigmoid(sign * second)
        )
        for sign in (1, -1)
    )
    return click - none
