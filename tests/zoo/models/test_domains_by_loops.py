"""Compares STAR, PEPNet and POSO with their formulas, row by row.

What Scenario-Wise-Rec recorded of STAR and PEPNet's towers departs from the
papers; see `golden_not_built.py`.
"""

import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import clicks_by_loops
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights

LABELS = ("click", "buy")
FIRST_OF_DOMAIN = 12


def schema(labels=None):
    config = {**SCHEMA.get_config(), "roles": {"domain": ["device"]}}
    if labels:
        config.pop("label")
        config["labels"] = labels
    return zoo.FeatureSchema.from_config(config)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def dense(w, name, x):
    kernel, bias = w[f"{name}/kernel"], w.get(f"{name}/bias", 0)
    return (
        np.array(
            [
                sum(x[i] * kernel[i, o] for i in range(len(x)))
                for o in range(kernel.shape[1])
            ]
        )
        + bias
    )


def gate(w, name, z):
    before, _, number = name.partition("{}")
    inner = relu(dense(w, f"{before}_hidden{number}", z))
    return 2 * sigmoid(dense(w, f"{before}{number}", inner))


def star_row(model, w, numbers, rows):
    d = rows[2] - FIRST_OF_DOMAIN
    vectors = w["embeddings/embeddings"][rows]
    x = np.concatenate([*vectors[:2], numbers])

    def own(kind):
        # Domains without rows have the statistics of all.
        seen = w["domain_norm/rows"][d] > 0
        kind = kind if seen else f"all_{kind}"
        value = w[f"domain_norm/{kind}"]
        return value[d] if seen else value

    h = (x - own("moving_mean")) / np.sqrt(own("moving_variance") + 1e-5)
    gamma = w["domain_norm/gamma"] * w["domain_norm/domain_gamma"][d]
    beta = w["domain_norm/beta"] + w["domain_norm/domain_beta"][d]
    h = h * gamma + beta
    for name in ("hidden_1", "hidden_2", "logit"):
        kernel = w[f"{name}/kernel"] * w[f"{name}/domain_kernel"][d]
        h = h @ kernel + w[f"{name}/bias"] + w[f"{name}/domain_bias"][d]
        if name != "logit":
            h = relu(h)
    small = np.concatenate([vectors[2], x])
    small = relu(dense(w, "auxiliary_hidden_1", small))
    logit = h + dense(w, "auxiliary_logit", small) + w["click/bias"]
    return sigmoid(logit[0])


def pepnet_row(model, w, numbers, rows):
    table = w["embeddings/embeddings"]
    numeric = numbers[:, None] * w["numeric_embeddings/embeddings"]
    e = np.concatenate([*numeric, *table[rows[:2]]])
    if model.domain_embedding_dim is None:
        vector = table[rows[2]]
    else:
        vector = w["domain_embeddings/embeddings"][rows[2] - FIRST_OF_DOMAIN]
    x = e * gate(w, "domain_gate{}", np.concatenate([vector, e]))
    z = x
    if model.gate_priors is not None:
        # The priors are the site and the price, which come in that order.
        price = numbers[0] * w["numeric_gate_embeddings/embeddings"][0]
        prior = [w["gate_embeddings/embeddings"][rows[0]], price]
        z = np.concatenate([x, *prior])
    clicks = []
    for label in range(1, len(model.schema.labels) + 1):
        tower, h = f"tower_{label}", x
        for i in range(len(model.hidden_units) + 1):
            if model.gate_priors is not None:
                h = h * gate(w, f"{tower}_gate{{}}_{i}", z)
            if i < len(model.hidden_units):
                h = relu(dense(w, f"{tower}_hidden_{i + 1}", h))
        logit = dense(w, f"{tower}_logit", h)[0] + w["click/bias"][label - 1]
        clicks.append(sigmoid(logit))
    return clicks


def poso_row(model, w, numbers, rows):
    numeric = numbers[:, None] * w["numeric_embeddings/embeddings"]
    fields = [*numeric, *w["embeddings/embeddings"][rows]]
    h = np.concatenate(fields)
    # Those of the hour and the price, which come in that order.
    personal = h
    if model.personal_columns:
        personal = np.concatenate([fields[3], fields[0]])
    for i in range(1, len(model.hidden_units) + 1):
        h = relu(dense(w, f"hidden_{i}", h))
        h = h * gate(w, f"gate{{}}_{i}", personal)
    return sigmoid((dense(w, "logit", h) + w["click/bias"])[0])


def compare(model, row):
    set_weights(model, deviation=0.3)
    x = inputs()
    received = model.predict(x, verbose=0)
    if isinstance(received, dict):
        received = np.stack([received[n][:, 0] for n in LABELS], axis=1)
    expected = clicks_by_loops(model, x, row)
    np.testing.assert_allclose(
        received, expected.reshape(received.shape), rtol=1e-5
    )


def test_star_is_the_published_one():
    model = zoo.STAR(
        schema(), auxiliary_units=(4,), embedding_dim=3, hidden_units=(6, 5)
    )
    compare(model, star_row)


@pytest.mark.trained_often
@pytest.mark.parametrize("labels", [None, LABELS])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"gate_units": 4, "domain_embedding_dim": 2},
        {"gate_priors": None},
        {"hidden_units": ()},
    ],
)
def test_pepnet_is_the_published_one(arguments, labels):
    arguments = {
        "gate_priors": ("site", "price"),
        "gate_embedding_dim": 3,
        "embedding_dim": 2,
        "hidden_units": (5, 4),
        **arguments,
    }
    compare(zoo.PEPNet(schema(labels), **arguments), pepnet_row)


@pytest.mark.parametrize(
    "arguments", [{}, {"personal_columns": ("hour", "price")}]
)
@pytest.mark.parametrize("gate_units", [None, 4])
def test_poso_is_the_published_one(arguments, gate_units):
    model = zoo.POSO(
        SCHEMA,
        gate_units=gate_units,
        embedding_dim=2,
        hidden_units=(5, 4),
        **arguments,
    )
    compare(model, poso_row)
