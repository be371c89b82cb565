"""Samples rows of a split."""

import numpy as np

from zoo.data.split import Split

# Rows that are read at once.
CHUNK_ROWS = 65_536


def sample_rows(split: Split, rows: int, seed: int) -> Split:
    """Returns a uniform sample of a split, in the order of the split.

    Args:
        split: `Split`.
        rows: integer. The size of the sample.
        seed: integer, not negative.

    Returns:
        `Split` in memory, or `split` itself if it has no more than `rows`
        rows.

    Example:

    ```python
    sample = sample_rows(log.split("test"), rows=100_000, seed=0)
    ```
    """
    if len(split) <= rows:
        return split
    chosen = np.random.default_rng(seed).choice(
        len(split), rows, replace=False, shuffle=False
    )
    chosen.sort()
    inputs, labels = split.empty(rows)
    end = 0
    for start in range(0, len(split), CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, len(split))
        last = int(np.searchsorted(chosen, stop))
        places = chosen[end:last] - start
        if not len(places):
            continue
        read_inputs, read_labels = split.read(start, stop)
        for name, array in read_inputs.items():
            inputs[name][end:last] = array[places]
        labels[end:last] = read_labels[places]
        end = last
    return Split(inputs, labels)
