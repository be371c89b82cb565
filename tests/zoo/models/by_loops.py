"""Computes networks row by row in float64, from a formula with loops."""

import keras
import numpy as np

from tests.zoo.networks import SCHEMA
from zoo.interop.weighted_model import named_weights


def float64_weights(model):
    """The weights of a network by their names, `"layer/variable"`."""
    return {
        name: keras.ops.convert_to_numpy(variable.value).astype("float64")
        for name, variable in named_weights(model).items()
    }


def clicks_by_loops(model, x, row):
    """Returns `row(model, weights, dense, rows)` for each row of `x`.

    `rows` are those of the stacked table, one for each field of `SCHEMA`.
    """
    weights = float64_weights(model)
    starts = np.cumsum([0, *SCHEMA.vocabulary_sizes])[:-1]
    return np.array(
        [
            row(model, weights, dense, ids + starts)
            for dense, ids in zip(x["dense"], x["ids"], strict=True)
        ]
    )


def linear_logit(weights, dense, rows):
    """The linear part of one row."""
    ids = weights["linear_embeddings/embeddings"][rows].sum()
    return ids + dense @ weights["linear_dense/kernel"][:, 0]
