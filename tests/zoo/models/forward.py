"""The four networks written out in float64 NumPy, from cowclip.md section 3."""

import numpy as np

from tests.zoo.models.by_loops import float64_weights


def click_probability(model, dense, ids):
    weights = float64_weights(model)
    dense = dense.astype("float64")
    offsets = np.cumsum([0, *model.schema.vocabulary_sizes[:-1]])
    rows = ids + offsets
    vectors = weights["embeddings/embeddings"][rows]
    features = np.concatenate([vectors.reshape(len(ids), -1), dense], axis=1)
    logit = weights["linear_embeddings/embeddings"][rows, 0].sum(axis=1)
    if dense.shape[1]:
        logit += (dense @ weights["linear_dense/kernel"])[:, 0]
    deep = features
    layer = 1
    while f"hidden_{layer}/kernel" in weights:
        kernel = weights[f"hidden_{layer}/kernel"]
        deep = np.maximum(deep @ kernel + weights[f"hidden_{layer}/bias"], 0)
        layer += 1
    name = type(model).__name__
    if name == "DeepFM":
        for i in range(vectors.shape[1]):
            for j in range(i):
                logit += (vectors[:, i] * vectors[:, j]).sum(axis=1)
    elif name == "DCN":
        deep = np.concatenate([_cross(features, weights), deep], axis=1)
    elif name == "DCNv2":
        cross = _cross_mixture if "cross/gate" in weights else _matrix_cross
        deep = np.concatenate([cross(features, weights), deep], axis=1)
    logit += (deep @ weights["logit/kernel"])[:, 0]
    return 1 / (1 + np.exp(-logit - weights["click/bias"][0]))[:, None]


def _cross(first, weights):
    current, layer = first, 1
    while f"cross_{layer}/kernel" in weights:
        projection = current @ weights[f"cross_{layer}/kernel"]
        current = first * projection + weights[f"cross_{layer}/bias"] + current
        layer += 1
    return current


def _matrix_cross(first, weights):
    current, layer = first, 1
    while f"cross_{layer}/kernel" in weights:
        projection = current @ weights[f"cross_{layer}/kernel"]
        projection += weights[f"cross_{layer}/bias"]
        current = first * projection + current
        layer += 1
    return current


def _cross_mixture(first, weights):
    current, layer = first, 0
    while f"cross/bias_{layer}" in weights:
        gate = np.exp(current @ weights["cross/gate"])
        gate /= gate.sum(axis=1, keepdims=True)
        mixture = 0
        for expert in range(gate.shape[1]):
            left = weights[f"cross/left_kernel_{layer}"][expert]
            right = weights[f"cross/right_kernel_{layer}"][expert]
            core = weights[f"cross/core_kernel_{layer}"][expert]
            low = np.tanh(np.tanh(current @ right) @ core.T)
            wide = first * (low @ left.T + weights[f"cross/bias_{layer}"])
            mixture = mixture + gate[:, [expert]] * wide
        current = mixture + current
        layer += 1
    return current
