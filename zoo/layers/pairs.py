"""Lists pairs of fields, in the order that all layers share."""

import numpy as np


def pairs_of(fields: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two places of each pair: (0, 1), (0, 2), ..., (1, 2), ...

    Args:
        fields: integer, the number of fields.

    Raises:
        ValueError: for fewer than two fields.

    Example:

    >>> left, right = pairs_of(3)  # [0, 0, 1], [1, 2, 2]
    """
    if fields < 2:
        raise ValueError(
            "There must be at least two fields, to make pairs of. "
            f"Received: {fields}"
        )
    return np.triu_indices(fields, 1)
