"""Draws batches with Criteo's columns, to measure a training step."""

import numpy as np

from zoo.datasets.criteo_shape import CRITEO_VOCABULARIES
from zoo.datasets.criteo_shape import NUM_DENSE


def vocabulary_sizes(num_ids: int) -> list[int]:
    """Criteo's 26 vocabularies, the large ones cut to `num_ids` in all."""
    low, high = 2, num_ids
    while low < high:
        cap = (low + high + 1) // 2
        if sum(min(size, cap) for size in CRITEO_VOCABULARIES) <= num_ids:
            low = cap
        else:
            high = cap - 1
    return [min(size, low) for size in CRITEO_VOCABULARIES]


def click_batch(
    sizes: list[int], rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`dense (rows, 13), ids (rows, 26), labels (rows,)`, the same each time.

    Half the rows have one of the most frequent sixteenth of a field's ids.
    """
    generator = np.random.default_rng(0)
    dense = generator.random((rows, NUM_DENSE), dtype=np.float32)
    uniform = generator.random((rows, len(sizes)))
    ids = (uniform**4 * np.array(sizes)).astype(np.int32)
    labels = (generator.random(rows) < 0.25).astype(np.int8)
    return dense, ids, labels
