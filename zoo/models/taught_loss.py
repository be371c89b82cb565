"""The loss of parts of a network that learn what the whole predicts."""

from collections.abc import Iterable
from typing import Any

from keras import ops

Tensor = Any


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
    loss = 0.0
    for i, label in enumerate(labels):
        teacher = _of_label(probabilities, label)
        weights = _of_label(sample_weight, label)
        for student in students:
            losses = ops.binary_crossentropy(
                ops.stop_gradient(teacher),
                ops.cast(student[:, i : i + 1], "float32"),
                from_logits=True,
            )
            if weights is not None:
                weights = ops.reshape(ops.cast(weights, "float32"), (-1, 1))
                losses = losses * weights
            loss = loss + ops.mean(losses)
    return loss


def _of_label(values: Any, label: str) -> Any:
    return values[label] if isinstance(values, dict) else values
