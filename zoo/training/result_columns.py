"""Compares runs by their lines in the `results.csv` of a scaling study."""

from typing import Any

Row = dict[str, Any]


def compared(row: Row, name: str) -> Any:
    """Returns the metric by which runs are compared.

    It is that of the epoch with the best validation AUC, as with early
    stopping. In a log without validation it is that of the last epoch.

    Args:
        row: dict, a line of `results.csv`.
        name: string, `"auc"` or `"log_loss"`.
    """
    best = row[f"best_epoch_{name}"]
    return row[name] if best is None else best


def regret(row: Row) -> Row:
    """Returns the distances from the best possible metrics, where known."""
    distances: Row = {}
    for name, sign in (("auc", 1), ("log_loss", -1)):
        best, reached = row[f"bayes_{name}"], compared(row, name)
        known = best is not None and reached is not None
        distance = sign * (best - reached) if known else None
        distances[f"{name}_regret"] = distance
    return distances


def columns_of_groups(prefix: str, groups: dict[str, Any] | None) -> Row:
    """Returns the AUC within the groups of each field."""
    return {
        f"{prefix}gauc.{field}": found["gauc"]
        for field, found in (groups or {}).items()
    }
