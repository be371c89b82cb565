"""Computes networks for several labels row by row, from their formulas."""

import keras
import numpy as np
import pytest

from tests.zoo.models.by_loops import clicks_by_loops
from tests.zoo.networks import LABELS
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import inputs
from tests.zoo.networks import predicted_and_kept
from tests.zoo.networks import set_weights


def relu_layers(weights, name, x, layers, place=None):
    """A perceptron, or that of a place in a stack."""
    for i in range(1, layers + 1):
        kernel = weights[f"{name}_hidden_{i}/kernel"]
        bias = weights[f"{name}_hidden_{i}/bias"]
        if place is not None:
            kernel, bias = kernel[place], bias[place]
        x = np.maximum(x @ kernel + bias, 0)
    return x


def gate(weights, name, place, x, layers=1):
    hidden = relu_layers(weights, name, x, layers, place)
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
    scores = np.exp(hidden @ kernel[place] + bias[place])
    return scores / scores.sum()


def flat_row(weights, table, dense, rows):
    return np.concatenate([weights[f"{table}/embeddings"][rows].ravel(), dense])


def click(weights, place, x):
    logit = x @ weights["logits/kernel"][place, :, 0]
    return 1 / (1 + np.exp(-logit - weights["click/bias"][place]))


def ple_row(model, weights, dense, rows):
    own = [flat_row(weights, "embeddings", dense, rows)] * len(LABELS)
    shared, several = own[0], model.num_specific_experts
    for level in range(1, model.num_levels + 1):
        name = f"level_{level}"
        of_labels = [
            [
                relu_layers(
                    weights, f"{name}_specific", own[k], 2, k * several + s
                )
                for s in range(several)
            ]
            for k in range(len(LABELS))
        ]
        of_all = [
            relu_layers(weights, f"{name}_shared", shared, 2, e)
            for e in range(model.num_shared_experts)
        ]
        own = [
            gate(weights, f"{name}_gates", k, own[k]) @ [*of_labels[k], *of_all]
            for k in range(len(LABELS))
        ]
        if level < model.num_levels:
            seen = [e for each in [*of_labels, of_all] for e in each]
            shared = gate(weights, f"{name}_shared_gate", 0, shared) @ seen
    return towers(weights, own)


def stem_row(model, weights, dense, rows):
    own = [
        flat_row(weights, f"embeddings_{k + 1}", dense, rows)
        for k in range(len(LABELS))
    ]
    shared = flat_row(weights, "embeddings", dense, rows)
    several = model.num_specific_experts
    for level in range(1, model.num_levels + 1):
        name, experts = f"level_{level}", []
        for k in range(len(LABELS)):
            for s in range(several):
                place = k * several + s
                experts.append(
                    relu_layers(weights, f"{name}_specific", own[k], 2, place)
                )
        for e in range(model.num_shared_experts):
            experts.append(relu_layers(weights, f"{name}_shared", shared, 2, e))
        own = [
            gate(weights, f"{name}_gates", k, own[k] + shared) @ experts
            for k in range(len(LABELS))
        ]
        if level < model.num_levels:
            shared = gate(weights, f"{name}_shared_gate", 0, shared) @ experts
    return towers(weights, own)


def towers(weights, own):
    return [
        click(weights, k, relu_layers(weights, "towers", own[k], 1, k))
        for k in range(len(LABELS))
    ]


def dbmtl_row(model, weights, dense, rows):
    x, relations = flat_row(weights, "embeddings", dense, rows), {}
    for k, label in enumerate(model.schema.labels):
        if model.num_experts is None:
            kernels = {
                name.replace("hidden", "bottom_hidden"): value
                for name, value in weights.items()
                if name.startswith("hidden")
            }
            bottom = relu_layers(kernels, "bottom", x, 2)
        else:
            bottom = gate(weights, "gates", k, x, layers=0) @ [
                relu_layers(weights, "experts", x, 2, e)
                for e in range(model.num_experts)
            ]
        tower = relu_layers(weights, "towers", bottom, 1, k)
        parents = list(relations)
        if model.parents is not None:
            parents = model.parents.get(label, [])
        relations[label] = relu_layers(
            weights,
            f"relation_{k + 1}",
            np.concatenate([tower, *(relations[each] for each in parents)]),
            1,
        )
    return [click(weights, k, r) for k, r in enumerate(relations.values())]


@pytest.mark.parametrize(
    "network, row, deviation, arguments",
    [
        (
            "ple",
            ple_row,
            0.8,
            {"num_specific_experts": 2, "num_shared_experts": 3},
        ),
        (
            "stem",
            stem_row,
            0.6,
            {
                "num_levels": 2,
                "num_specific_experts": 2,
                "num_shared_experts": 3,
            },
        ),
        ("stem", stem_row, 0.8, {}),
        ("dbmtl", dbmtl_row, 0.4, {}),
        ("dbmtl", dbmtl_row, 0.4, {"num_experts": 3, "parents": {"buy": []}}),
        ("dbmtl", dbmtl_row, 0.4, {"parents": {"buy": ["click"]}}),
    ],
)
def test_probabilities_are_those_of_the_formula(
    network, row, deviation, arguments
):
    model = set_weights(build(network, **arguments), deviation=deviation)
    x = inputs(SCHEMA)
    expected = clicks_by_loops(model, x, row)
    received = model.predict(x, verbose=0)
    for k, label in enumerate(LABELS):
        assert expected[:, k].std() > 0.01, label
        np.testing.assert_allclose(
            received[label][:, 0], expected[:, k], atol=1e-5
        )


def test_aitm_adds_to_the_loss_what_a_step_is_likelier_than_the_last():
    model = set_weights(build("aitm", calibration=0.5), deviation=0.4)
    probabilities, kept = predicted_and_kept(model, inputs(SCHEMA))
    clicks = {
        name: keras.ops.convert_to_numpy(each)
        for name, each in probabilities.items()
    }
    rises = np.maximum(clicks["buy"] - clicks["click"], 0)
    assert 0 < np.mean(rises > 0) < 1
    for weight in (None, np.linspace(0, 2, 16, dtype="float32")):
        weights = None
        expected = 0.5 * np.mean(rises)
        if weight is not None:
            weights = {"click": np.zeros(16, "float32"), "buy": weight}
            expected = 0.5 * np.mean(rises[:, 0] * weight)
        received = model.extra_loss(None, probabilities, kept, weights)
        received = keras.ops.convert_to_numpy(received)
        np.testing.assert_allclose(received, expected, rtol=1e-4)


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize(
    "parents", [{"buy": ["buy"]}, {"click": ["buy"]}, {"sale": []}]
)
def test_dbmtl_takes_parents_that_come_before(parents):
    with pytest.raises(ValueError, match=r"parents.*Received"):
        build("dbmtl", parents=parents)
