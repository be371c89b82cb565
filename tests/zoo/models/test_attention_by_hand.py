"""FRNet, and DESTINE's attention with heads, which have no golden numbers."""

import keras
import numpy as np
import pytest

import zoo
from zoo.interop.weighted_model import named_weights
from zoo.layers import DisentangledAttention

SCHEMA = zoo.FeatureSchema(["price"], {"site": 7, "hour": 5})
INPUTS = {
    "dense": np.array([[0.5], [2.0]], "float32"),
    "ids": np.array([[0, 1], [6, 3]], "int32"),
}


def softmax(x, axis=-1):
    exponents = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponents / exponents.sum(axis=axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw(weights):
    random = np.random.default_rng(0)
    drawn = {n: random.normal(0, 0.5, w.shape) for n, w in weights.items()}
    for name, value in drawn.items():
        weights[name].assign(value)
    return drawn


def frnet_unit(w, fields, name):
    kernel, bias = (w[f"{name}_attention/{k}"] for k in ("kernel", "bias"))
    q, k, v = np.split(fields @ kernel + bias, 3, axis=-1)
    attended = softmax(q @ k.swapaxes(1, 2)) @ v

    def dense(x, layer):
        return x @ w[f"{name}_{layer}/kernel"] + w[f"{name}_{layer}/bias"]

    flat = fields.reshape(len(fields), -1)
    context = np.maximum(dense(flat, "context_hidden_1"), 0)
    common = np.maximum(dense(context, "of_row"), 0)
    return dense(attended, "of_field") * common[:, None]


@pytest.mark.parametrize("gate", ["bit", "vector"])
def test_frnet_is_its_formula(gate):
    model = zoo.FRNet(
        SCHEMA,
        embedding_dim=3,
        attention_units=4,
        context_units=(5,),
        hidden_units=(),
        gate=gate,
    )
    w = draw(named_weights(model))
    rows = INPUTS["ids"] + [0, 7]
    numbers = INPUTS["dense"][..., None] * w["numeric_embeddings/embeddings"]
    fields = np.concatenate([numbers, w["embeddings/embeddings"][rows]], 1)
    weights = frnet_unit(w, fields, "gate")
    if gate == "vector":
        weights = weights.sum(axis=-1, keepdims=True)
    weights = sigmoid(weights)
    complement = frnet_unit(w, fields, "complement")
    refined = weights * fields + (1 - weights) * complement
    products = np.einsum("bid,bjd->bij", refined, refined)
    logit = np.triu(products, 1).sum(axis=(1, 2), keepdims=True)[:, 0]
    logit += w["linear_embeddings/embeddings"][rows].sum(axis=1)
    logit += INPUTS["dense"] @ w["linear_dense/kernel"] + w["click/bias"]
    received = keras.ops.convert_to_numpy(model(INPUTS))
    np.testing.assert_allclose(received, sigmoid(logit), rtol=0, atol=1e-5)


def test_heads_of_disentangled_attention_are_slices_of_each_field():
    inputs = np.random.default_rng(1).normal(size=(2, 3, 5)).astype("float32")
    layer = DisentangledAttention(
        4, num_heads=2, use_bias=True, residual="projected", activation="relu"
    )
    layer.build(inputs.shape)
    w = draw({weight.name: weight for weight in layer.weights})
    projected = np.maximum(inputs @ w["kernel"] + w["bias"], 0)
    heads = []
    for head in range(2):
        q, k, v = (
            part[..., 2 * head : 2 * head + 2]
            for part in np.split(projected, 3, axis=-1)
        )
        q, k = q - q.mean(axis=1, keepdims=True), k - k.mean(1, keepdims=True)
        unary = softmax(inputs @ w["unary_kernel"][:, head], axis=1)
        weights = softmax(q @ k.swapaxes(1, 2)) + unary[:, None]
        heads.append(weights @ v)
    expected = np.concatenate(heads, axis=-1)
    expected += inputs @ w["residual_kernel"] + w["residual_bias"]
    received = keras.ops.convert_to_numpy(layer(inputs))
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)
