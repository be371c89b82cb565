"""Selects what belongs to the domain of each row."""

from typing import Any

from keras import ops

from zoo.layers.places import take_at

Tensor = Any


def select_own_domain(values: Tensor, domain: Tensor) -> Tensor:
    """Returns what each row has of its own domain, `(batch, ...)`.

    Args:
        values: `(batch, num_domains, ...)`, computed for all domains.
        domain: `(batch,)` integers, the domain of each row.

    Example:

    >>> values = np.array([[5, 6], [7, 8]])
    >>> select_own_domain(values, np.array([1, 0]))  # 6 and 7
    """
    ones = [1] * (len(values.shape) - 1)
    places = ops.reshape(domain, [-1, *ones])
    return ops.squeeze(take_at(values, places, axis=1), axis=1)
