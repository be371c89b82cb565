"""Names the metrics of a split as tables show them, one a line."""

from typing import Any


def metric_lines(metrics: dict[str, Any]) -> dict[str, float | None]:
    """Returns the metrics of one label by the names that tables show.

    Args:
        metrics: dict, what `zoo.evaluate` returns, of several labels that of
            one.

    Returns:
        Dict of numbers in the order of `metrics`. One that does not exist is
        `None`, such as the AUC by group where each group has one class only.

    Example:

    >>> groups = {"user": {"gauc": 0.6, "groups": 9, "left_out_share": 0.25}}
    >>> lines = metric_lines({"auc": 0.7, "groups": groups})
    >>> list(lines)
    ['auc', 'gauc by user', 'rows left out by user', 'groups by user']
    """
    lines = {}
    for name, value in metrics.items():
        if name == "groups":
            for field, found in value.items():
                lines[f"gauc by {field}"] = found["gauc"]
                lines[f"rows left out by {field}"] = found["left_out_share"]
                lines[f"groups by {field}"] = found["groups"]
        else:
            lines[name.replace("missing_rows", "rows without the label")] = (
                value
            )
    return lines


def metric_text(value: float | None) -> str:
    """Returns a metric as tables show it: counts are whole.

    Example:

    >>> metric_text(0.75), metric_text(12_000), metric_text(None)
    ('0.75000', '12,000', 'none')
    """
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:.5f}"
