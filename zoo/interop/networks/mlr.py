import numpy as np

from zoo.interop.sources import deepctr_torch
from zoo.models import MLR

BIAS = "bias_model.0"


@deepctr_torch(
    "MLR", "region_num", "base_feature_columns", "bias_feature_columns"
)
def from_deepctr_torch(original):
    # DeepCTR-Torch uses the regions' scores in the place of the base models',
    # and makes the parts that all its networks have, but does not use them.
    original.state.drop(
        "base_linear_model.", "embedding_dict.", "linear_model.", "out."
    )
    regions = original.count("region_num", "region_linear_model")
    scores: dict[str, list[np.ndarray]] = {}
    for i in range(regions):
        original.linear(f"region_linear_model.{i}")
        for name in ("linear_embeddings/embeddings", "linear_dense/kernel"):
            if name in original.weights:
                scores.setdefault(name, []).append(original.weights.pop(name))
    for name, weights in scores.items():
        original.put(name, np.concatenate(weights, axis=1))
    original.arguments.update(
        num_regions=regions,
        separate_learners=False,
        bias_columns=_take_bias(original),
    )
    return MLR


def _take_bias(original):
    """Takes the logistic regression of `bias_feature_columns`.

    Returns:
        The names of its columns.
    """
    columns, state = original.columns, original.state
    tables = f"{BIAS}.embedding_dict.{{}}.weight"
    fields = [n for n in columns.categorical if state.has(tables.format(n))]
    if fields:
        rows = [
            original.take(tables.format(name), columns.categorical[name], 1)
            for name in fields
        ]
        original.put("bias_embeddings/embeddings", np.concatenate(rows))
    numeric = []
    if state.has(f"{BIAS}.weight"):
        numeric = _numeric_columns(original, len(columns.dense))
        weights = "numeric_bias_embeddings/embeddings"
        original.move(f"{BIAS}.weight", weights, len(numeric), 1)
    return (*numeric, *fields)


def _numeric_columns(original, count):
    """The numeric columns of the bias, which a checkpoint does not name."""
    given = original.setting("bias_feature_columns", None)
    if not given:
        original.state.take(f"{BIAS}.weight", (count, 1))
        return original.columns.dense
    names = [getattr(column, "name", column) for column in given]
    return [name for name in names if name in original.columns.dense]
