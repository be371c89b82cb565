"""Measures how well rows are ordered within groups, such as users."""

from typing import Any

import numpy as np

from zoo.metrics.exact import check_finite


def group_auc(
    labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray
) -> dict[str, Any]:
    """Returns the AUC within groups of rows, exactly: gAUC.

    `gauc = sum(rows of the group * AUC of the group) / sum(rows of the group)`

    over the groups that have both clicks and non-clicks; the others have no
    AUC and are left out. Ties count half. Groups are weighted by all of their
    rows, as in FuxiCTR. The time is that of sorting the rows, whatever the
    number of groups.

    Args:
        labels: `(rows,)`, 0 or 1.
        probabilities: `(rows,)` or `(rows, 1)`.
        groups: `(rows,)`, what rows of a group have in common, such as the id
            of the user.

    Returns:
        Dict of `gauc`, which is `None` if no group has both classes; `groups`,
        the number of groups that count; and `left_out_share`, the share of the
        rows that are in the others.

    Raises:
        TrainingDivergedError: a `ValueError`, if a prediction is not finite.
        ValueError: if there is no row, or the lengths differ.

    Example:

    >>> labels = np.array([0, 1, 0, 1, 1])
    >>> scores = np.array([0.1, 0.4, 0.9, 0.8, 0.3])
    >>> group_auc(labels, scores, groups=np.array([7, 7, 8, 8, 9]))
    {'gauc': 0.5, 'groups': 2, 'left_out_share': 0.2}

    Reference:
    - [Zhou et al., 2018](https://arxiv.org/abs/1706.06978), the experiments.
    """
    labels = np.asarray(labels).ravel()
    probabilities = np.asarray(probabilities).ravel()
    groups = np.asarray(groups).ravel()
    rows = len(labels)
    if not rows or len(probabilities) != rows or len(groups) != rows:
        raise ValueError(
            "`labels`, `probabilities` and `groups` must have the same number "
            f"of rows, at least one. Received: {rows}, {len(probabilities)} "
            f"and {len(groups)} rows"
        )
    check_finite(probabilities)
    # By group, and within it by prediction: a third less than `np.lexsort`.
    order = np.argsort(probabilities)
    order = order[np.argsort(groups[order], kind="stable")]
    labels = labels[order].astype("int64")
    is_new_group = _differs(groups[order])
    # Rows of a group whose predictions are equal share the mean of their ranks.
    is_new_tie = is_new_group | _differs(probabilities[order])
    ties, starts = np.flatnonzero(is_new_tie), np.flatnonzero(is_new_group)
    sizes = np.diff(starts, append=rows)
    clicks = np.add.reduceat(labels, starts)
    # Ranks are counted from 1 through all groups. Twice their mean is whole.
    twice_mean_ranks = ties + np.append(ties[1:], rows) + 1
    twice_ranks = np.add.reduceat(
        np.add.reduceat(labels, ties) * twice_mean_ranks,
        np.flatnonzero(is_new_group[ties]),
    )
    # Pairs in which the click is above the non-click.
    twice_pairs = twice_ranks - clicks * (2 * starts + clicks + 1)
    counts = (clicks > 0) & (clicks < sizes)
    counted = int(sizes[counts].sum())
    pairs = (clicks * (sizes - clicks))[counts]
    aucs = twice_pairs[counts] / (2 * pairs)
    return {
        "gauc": float(aucs @ sizes[counts] / counted) if counted else None,
        "groups": int(counts.sum()),
        "left_out_share": float((rows - counted) / rows),
    }


def _differs(values: np.ndarray) -> np.ndarray:
    """Whether each value is another one than that before it."""
    differs: np.ndarray = np.ones(len(values), "bool")
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs
