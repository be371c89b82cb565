"""Samples rows of a split."""

import numpy as np

from zoo.data.rows import cut
from zoo.data.rows import map_arrays
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
    sample = split.empty(rows)
    end = 0
    for start in range(0, len(split), CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, len(split))
        last = int(np.searchsorted(chosen, stop))
        places = chosen[end:last] - start
        if not len(places):
            continue
        _copy(split.read(start, stop), places, cut(sample, end, last))
        end = last
    return _split_of(sample, split)


def rows_with_label(split: Split, label: int) -> Split:
    """Returns the rows that have one of several labels, in memory.

    Args:
        split: `Split`.
        label: integer, the number of the label.

    Returns:
        `Split`, or `split` itself if no row lacks the label.
    """
    labels = split.labels
    if labels.ndim == 1 or (labels[:, label] >= 0).all():
        return split
    places = np.flatnonzero(labels[:, label] >= 0)
    rows = split.empty(len(places))
    _copy(split.read(0, len(split)), places, rows)
    return _split_of(rows, split)


def _split_of(rows, split):
    inputs, labels, *weights = rows
    return Split(
        inputs, labels, weights[0] if weights else None, split.label_names
    )


def _copy(rows, places, out):
    def copy(array, copied):
        copied[...] = array[places]

    map_arrays(copy, rows, out)
