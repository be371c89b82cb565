"""FiBiNET++ against its formula in loops: no original of it runs here."""

import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.interop.weighted_model import named_weights


def normalized(vector, epsilon):
    spread = np.sqrt(vector.var() + epsilon)
    return (vector - vector.mean()) / spread


def fields_of(w, prices, ids):
    """The normalized fields of a row: two numbers, three ids."""
    fields = []
    for k, value in enumerate(prices):
        vector = normalized(value * w["numeric_embeddings/embeddings"][k], 1e-6)
        scale = w["numeric_norm/gamma"][k]
        fields.append(vector * scale + w["numeric_norm/beta"][k])
    start = 0
    for i, size in zip(ids, SCHEMA.vocabulary_sizes, strict=True):
        vector = w["embeddings/embeddings"][start + i]
        spread = np.sqrt(w["id_norm/moving_variance"] + 1e-3)
        vector = (vector - w["id_norm/moving_mean"]) / spread
        fields.append(vector * w["id_norm/gamma"] + w["id_norm/beta"])
        start += size
    return fields


def excited(w, fields):
    means, largest = [], []
    for field in fields:
        for part in (field[:2], field[2:]):
            means.append(part.mean())
            largest.append(part.max())
    hidden = np.maximum([*means, *largest] @ w["excitation/squeeze"], 0)
    scales = hidden @ w["excitation/excite"]
    outputs = []
    for i, field in enumerate(fields):
        vector = field * scales[4 * i : 4 * i + 4] + field
        scale, offset = w["excited_norm/gamma"], w["excited_norm/beta"]
        outputs += [*(normalized(vector, 1e-6) * scale + offset)]
    return outputs


def expected_click(w, prices, ids, kind):
    fields = fields_of(w, prices, ids)
    pairs, place = [], 0
    for i in range(5):
        for j in range(i + 1, 5):
            of_pair = {"each": i, "interaction": place}
            kernel = w["bilinear/kernel"]
            matrix = kernel if kind == "all" else kernel[of_pair[kind]]
            pairs.append(fields[i] @ matrix @ fields[j])
            place += 1
    kernel, bias = w["compressed_pairs/kernel"], w["compressed_pairs/bias"]
    hidden = np.array([*(pairs @ kernel + bias), *excited(w, fields)])
    for layer in ("hidden_1", "hidden_2"):
        kernel, bias = w[f"{layer}/kernel"], w[f"{layer}/bias"]
        hidden = np.maximum(hidden @ kernel + bias, 0)
    logit = hidden @ w["logit/kernel"] + w["click/bias"]
    return 1 / (1 + np.exp(-logit))


@pytest.mark.parametrize("kind", ["all", "each", "interaction"])
def test_clicks_are_those_of_the_formula(kind):
    model = set_weights(
        zoo.FiBiNETPlus(
            SCHEMA,
            embedding_dim=4,
            hidden_units=(8, 6),
            bilinear=kind,
            compressed_units=5,
        ),
        deviation=0.4,
    )
    x, w = inputs(), float64_weights(model)
    expected = [
        expected_click(w, prices, ids, kind)
        for prices, ids in zip(x["dense"], x["ids"], strict=True)
    ]
    click = model.predict(x, verbose=0)
    assert np.std(click) > 1e-3
    np.testing.assert_allclose(click, expected, rtol=0, atol=1e-5)


def test_the_order_of_fields_is_kept():
    order = ("site", "price", "hour", "age", "device")
    schema = zoo.FeatureSchema(SCHEMA.dense, SCHEMA.categorical)
    usual = set_weights(zoo.FiBiNETPlus(schema, hidden_units=(4,)))
    other = zoo.FiBiNETPlus(schema, hidden_units=(4,), field_order=order)
    weights = float64_weights(usual)
    for name, variable in named_weights(other).items():
        variable.assign(weights[name])
    # Pairs, and what is excited, are other weights' then.
    x = inputs()
    clicks = usual.predict(x, verbose=0), other.predict(x, verbose=0)
    assert np.abs(clicks[0] - clicks[1]).max() > 1e-4


def test_groups_must_divide_an_embedding():
    with pytest.raises(ValueError, match="divide.*5.*num_groups=2"):
        zoo.FiBiNETPlus(SCHEMA, embedding_dim=5)
