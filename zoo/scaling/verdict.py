"""What a scaling study says: the largest batch that loses nothing."""

from statistics import mean
from typing import Any

from zoo.scaling.results import Row

TOLERANCE = 1e-3  # "0.1 % AUC", as click-through-rate models are compared.
Variant = tuple[str, float | None]  # The rule and the clip ratio.


def variants(rows: list[Row]) -> list[Variant]:
    """The rules and clip ratios of a study, in order of appearance."""
    return list(dict.fromkeys((row["rule"], row["clip_ratio"]) for row in rows))


def label(variant: Variant, among: list[Variant]) -> str:
    """A variant's name; the clip is named where the study varies it."""
    rule, clip_ratio = variant
    if len({ratio for _, ratio in among}) == 1:
        return rule
    return f"{rule}, " + (
        "no clip" if clip_ratio is None else f"r={clip_ratio:g}"
    )


def by_batch(
    rows: list[Row], model: str, variant: Variant
) -> dict[int, list[Row]]:
    """The runs of one curve, by batch size: one for each seed."""
    curve: dict[int, list[Row]] = {}
    for row in rows:
        if (row["model"], row["rule"], row["clip_ratio"]) == (model, *variant):
            curve.setdefault(row["batch_size"], []).append(row)
    return dict(sorted(curve.items()))


def verdicts(rows: list[Row]) -> list[dict[str, Any]]:
    """Says how far each rule goes for each model.

    A batch size counts if no seed diverged there and the mean AUC over the
    seeds is at most 0.001 below that of the best rule at the study's smallest
    batch.

    Returns:
        A list of dicts, one for each model and variant: `model`, `rule` (the
        label), `small_batch_auc` (the one to reach), `batch_size` (the
        largest that counts, or `None`), `auc` there, and `speed_up` of the
        training against the best run at the smallest batch.

    Example:

    ```python
    for verdict in verdicts(zoo.scaling_study(log, "study")):
        print(verdict["rule"], verdict["batch_size"], verdict["speed_up"])
    ```
    """
    found = []
    among = variants(rows)
    for model in dict.fromkeys(row["model"] for row in rows):
        curves = {v: by_batch(rows, model, v) for v in among}
        smallest = min(
            row["batch_size"] for row in rows if row["model"] == model
        )
        starts = [
            curve[smallest]
            for curve in curves.values()
            if smallest in curve and _mean(curve[smallest], "auc") is not None
        ]
        best = max(starts, key=lambda runs: _mean(runs, "auc"), default=None)
        for variant, curve in curves.items():
            found.append(
                {
                    "model": model,
                    "rule": label(variant, among),
                    **_verdict(curve, best),
                }
            )
    return found


def _verdict(
    curve: dict[int, list[Row]], best: list[Row] | None
) -> dict[str, Any]:
    verdict: dict[str, Any] = dict.fromkeys(
        ("small_batch_auc", "batch_size", "auc", "speed_up")
    )
    if best is None:
        return verdict
    verdict["small_batch_auc"] = _mean(best, "auc")
    for batch_size, runs in curve.items():
        auc = _mean(runs, "auc")
        if auc is not None and auc >= verdict["small_batch_auc"] - TOLERANCE:
            verdict |= {
                "batch_size": batch_size,
                "auc": auc,
                "speed_up": _mean(best, "seconds") / _mean(runs, "seconds"),
            }
    return verdict


def _mean(runs: list[Row], name: str) -> Any:
    values = [run[name] for run in runs]
    return None if None in values else mean(values)
