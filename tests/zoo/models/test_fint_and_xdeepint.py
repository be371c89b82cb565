"""Compares the networks without golden numbers with their formulas."""

import numpy as np
import pytest

from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights


def embedded(weights, x):
    """The columns as fields, `(rows, 5, 4)`."""
    starts = np.cumsum([0, *SCHEMA.vocabulary_sizes[:-1]])
    numeric = weights["numeric_embeddings/embeddings"]
    fields = weights["embeddings/embeddings"][x["ids"] + starts]
    numbers = x["dense"][:, :, np.newaxis] * numeric
    return np.concatenate([numbers, fields], axis=1)


def crossed(weights, fields, layers):
    current = fields
    for number in range(1, layers + 1):
        kernel = weights[f"cross_{number}/kernel"]
        scale = weights.get(f"cross_{number}/scale", np.ones((len(kernel), 1)))
        following = np.zeros_like(current)
        for i in range(len(kernel)):
            mix = sum(kernel[j, i] * fields[:, j] for j in range(len(kernel)))
            following[:, i] = current[:, i] * mix + scale[i] * current[:, i]
        current = following
    return current


def click(logit):
    return 1 / (1 + np.exp(-logit))


def test_fint_is_its_formula():
    model = set_weights(build("fint", num_layers=2))
    x, weights = inputs(), float64_weights(model)
    deep = crossed(weights, embedded(weights, x), 2).reshape(16, -1)
    for i in (1, 2):
        deep = deep @ weights[f"hidden_{i}/kernel"]
        deep = np.maximum(deep + weights[f"hidden_{i}/bias"], 0)
    logit = deep @ weights["logit/kernel"] + weights["click/bias"]
    np.testing.assert_allclose(
        model.predict(x, verbose=0), click(logit), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("heads", [1, 2])
def test_xdeepint_is_its_formula(heads):
    model = set_weights(build("xdeepint", num_layers=3, num_heads=heads))
    x, weights = inputs(), float64_weights(model)
    fields = embedded(weights, x)
    parts = fields.reshape(16, 5 * heads, 4 // heads)
    last = crossed(weights, parts, 3).sum(axis=2)
    logit = last @ weights["logit/kernel"] + weights["click/bias"]
    np.testing.assert_allclose(
        model.predict(x, verbose=0), click(logit), rtol=0, atol=1e-5
    )


def test_xdeepint_without_kernels_is_linear():
    model = set_weights(build("xdeepint"))
    for i in (1, 2, 3):
        kernel = model.get_layer(f"cross_{i}").kernel
        kernel.assign(np.zeros(kernel.shape))
    x, weights = inputs(), float64_weights(model)
    logit = embedded(weights, x).sum(axis=2) @ weights["logit/kernel"]
    np.testing.assert_allclose(
        model.predict(x, verbose=0),
        click(logit + weights["click/bias"]),
        rtol=0,
        atol=1e-5,
    )


def test_heads_must_divide_the_embeddings():
    with pytest.raises(ValueError, match="`num_heads` must divide"):
        build("xdeepint", num_heads=3)
