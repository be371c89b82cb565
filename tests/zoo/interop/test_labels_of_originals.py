"""Reads the labels of originals from their settings."""

import pytest

from tests.zoo.models.golden_pack import OWN
from tests.zoo.models.golden_pack import Golden
from tests.zoo.models.golden_pack import variants

FUXICTR = "FuxiCTR/MMoE/linear_gate"
DEEPCTR_TORCH = "DeepCTR-Torch/MMOE/linear_gate"
BINARY = "binary_classification"
pytestmark = pytest.mark.one_backend(reason="it reads settings")


def golden(name):
    return Golden(variants(OWN)[name])


def import_with(name, **settings):
    original = golden(name)
    original.about["hyperparameters"].update(settings)
    return original.import_weights()


@pytest.mark.parametrize(
    "name, settings, message",
    [
        (FUXICTR, {"task": [BINARY]}, r"one task for each.*Received"),
        (FUXICTR, {"task": [BINARY, "regression"]}, "'regression'"),
        (FUXICTR, {"num_tasks": 3}, "num_tasks.*Received.*3"),
        (DEEPCTR_TORCH, {"task_types": ["binary"]}, "task_types.*Received"),
        (
            DEEPCTR_TORCH,
            {"task_types": ["binary", "regression"]},
            "task_types.*Received.*'regression'",
        ),
    ],
)
def test_tasks_that_the_zoo_has_not_are_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        import_with(name, **settings)


@pytest.mark.parametrize("task", [BINARY, [BINARY, BINARY]])
def test_fuxictr_has_one_task_for_all_or_one_each(task):
    model = import_with(FUXICTR, task=task)
    assert model.schema.labels == ("y1", "y2")


def test_deepctr_torch_names_its_labels_by_a_setting():
    model = import_with(DEEPCTR_TORCH, task_names=("a click", "b/c"))
    assert model.schema.labels == ("a click", "b/c")
    assert import_with(DEEPCTR_TORCH).schema.labels == ("ctr", "ctcvr")


def test_a_network_with_one_output_needs_one_label():
    original = golden(next(n for n in variants(OWN) if "FuxiCTR/DNN/" in n))
    original.about["labels"] = ["click", "buy"]
    with pytest.raises(ValueError, match="one label.*Received.*'buy'"):
        original.import_weights()
