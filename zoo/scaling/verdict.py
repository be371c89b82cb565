"""Finds the largest batch at which a rule loses no AUC."""

from statistics import mean
from typing import Any

from zoo.training.result_columns import Row
from zoo.training.result_columns import compared

TOLERANCE = 1e-3  # "0.1 % AUC", as click-through-rate models are compared.
Curve = tuple[str, str]  # The rule and the variant of the recipe.


def curves(rows: list[Row]) -> list[Curve]:
    """The rules and variants of a study, in order of appearance."""
    return list(dict.fromkeys((row["rule"], row["variant"]) for row in rows))


def label(curve: Curve) -> str:
    """Returns the name of a curve in tables and figures."""
    return ", ".join(filter(None, curve))


def by_batch(rows: list[Row], model: str, curve: Curve) -> dict[int, list[Row]]:
    """The runs of one curve, by the batch of the tables: one for each seed."""
    runs: dict[int, list[Row]] = {}
    for row in rows:
        if (row["model"], row["rule"], row["variant"]) == (model, *curve):
            runs.setdefault(row["embedding_batch_size"], []).append(row)
    return dict(sorted(runs.items()))


def verdicts(rows: list[Row]) -> list[dict[str, Any]]:
    """Finds the largest batch of each rule for each model.

    A batch size counts if no seed diverged there and the mean AUC over the
    seeds is at most 0.001 below that of the best rule at the study's smallest
    batch.

    Returns:
        A list of dicts, one for each model and curve: `model`, `rule` (with the
        variant), `small_batch_auc` (the one to reach), `batch_size` (the
        largest that counts, or `None`), `auc` there, and `speed_up` of the
        training against the best run at the smallest batch.

    Example:

    ```python
    for verdict in verdicts(zoo.scaling_study(log, "study")):
        print(verdict["rule"], verdict["batch_size"], verdict["speed_up"])
    ```
    """
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        runs_of = {c: by_batch(rows, model, c) for c in curves(rows)}
        smallest = min(
            row["embedding_batch_size"] for row in rows if row["model"] == model
        )
        starts = [
            runs[smallest]
            for runs in runs_of.values()
            if smallest in runs and _auc(runs[smallest]) is not None
        ]
        best = max(starts, key=_auc, default=None)
        for curve, runs in runs_of.items():
            found.append(
                {"model": model, "rule": label(curve), **_verdict(runs, best)}
            )
    return found


def _verdict(
    runs_by_batch: dict[int, list[Row]], best: list[Row] | None
) -> dict[str, Any]:
    verdict: dict[str, Any] = dict.fromkeys(
        ("small_batch_auc", "batch_size", "auc", "speed_up")
    )
    if best is None:
        return verdict
    verdict["small_batch_auc"] = _auc(best)
    for batch_size, runs in runs_by_batch.items():
        auc = _auc(runs)
        if auc is not None and auc >= verdict["small_batch_auc"] - TOLERANCE:
            verdict |= {
                "batch_size": batch_size,
                "auc": auc,
                "speed_up": _seconds(best) / _seconds(runs),
            }
    return verdict


def _auc(runs: list[Row]) -> Any:
    values = [compared(run, "auc") for run in runs]
    return None if None in values else mean(values)


def _seconds(runs: list[Row]) -> float:
    return mean(run["seconds"] for run in runs)
