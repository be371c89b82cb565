"""Compares each network with its original, number by number.

    pytest tests/zoo/models/test_golden.py --golden FOLDER

runs all variants below the folder beside the project's own. Each is rebuilt by
the code of `zoo.import_checkpoint`, from the original's weights and settings.
"""

import keras
import numpy as np
import pytest
from keras import ops

from tests.zoo.models.golden_not_built import why_not_built
from tests.zoo.models.golden_pack import OWN
from tests.zoo.models.golden_pack import Golden
from tests.zoo.models.golden_pack import variants
from tests.zoo.networks import predicted_and_kept
from zoo.interop.weighted_model import named_weights
from zoo.registry import NETWORKS
from zoo.registry import network_name

# DeepCTR-Torch shares these weights, the zoo does not: the linear weights of a
# sequence are those of its field, and the two biases of an AUGRU are one.
SHARED = {
    "DeepCTR-Torch/DeepFM/sequence": ["linear_embeddings/embeddings"],
    "DeepCTR-Torch/DIEN/AUGRU_negatives": [
        "evolution_1/bias",
        "evolution_1/recurrent_bias",
    ],
}
# Recorded without the cross-entropy.
ALONE_RECORDED = ("DeepCTR-Torch/DIEN/AUGRU_negatives",)

# The names of inputs are not those of their tensors where there are sequences.
pytestmark = pytest.mark.filterwarnings("ignore:When providing `inputs` as a")
ALONE = "gradients are compared on PyTorch alone: a backend derives them"


def torch_alone(test):
    skipped = pytest.mark.skipif(
        keras.backend.backend() != "torch", reason=ALONE
    )
    return skipped(pytest.mark.one_backend(reason=ALONE)(test))


def pytest_generate_tests(metafunc):
    found = variants(metafunc.config.getoption("--golden"))
    if "training" in metafunc.function.__name__:
        found = {n: v for n, v in found.items() if Golden.has_training_loss(v)}
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", found)


@pytest.fixture
def golden(name, request):
    fact = why_not_built(name)
    if fact:
        pytest.skip(fact)
    return Golden(variants(request.config.getoption("--golden"))[name])


def test_logits_are_those_of_the_original(golden):
    model = golden.import_weights()
    assert golden.variant.source in type(model).ORIGINALS
    outputs = model.output
    if isinstance(outputs, dict) and "kept" in outputs:
        outputs = outputs["probabilities"]
    wanted = columns(model, outputs)
    if "logit" in golden:
        wanted.append(model.get_layer("click").input)
    *probabilities, last = computed(model, wanted, golden)
    if "logit" in golden:
        bias = ops.convert_to_numpy(model.get_layer("click").bias)
        np.testing.assert_allclose(
            last + bias, golden.by_label("logit"), rtol=1e-5, atol=1e-5
        )
    else:
        probabilities.append(last)
    np.testing.assert_allclose(
        np.concatenate(probabilities, axis=1),
        golden.by_label("probability"),
        rtol=0,
        atol=1e-5,
    )


def computed(model, tensors, golden):
    """Some tensors of a network, for the rows of the original."""
    part = keras.Model(model.input, tensors)
    inputs = golden.inputs(model.schema)
    # JAX compiles them at once, or else each operation.
    if keras.backend.backend() == "jax":
        return keras.tree.flatten(part.predict_on_batch(inputs))
    received = keras.tree.flatten(part(inputs, training=False))
    return [ops.convert_to_numpy(each) for each in received]


@torch_alone
def test_gradients_are_those_of_the_original(golden, name):
    model = golden.import_weights()
    probabilities = model(golden.inputs(model.schema), training=False)
    cross_entropy(golden, model, probabilities).backward()
    compare_gradients(model, golden.import_gradients(), name)
    # An original may have several biases of the logit.
    error = golden.by_label("probability") - golden.by_label("labels")
    bias = named_weights(model).get("click/bias")
    if bias is not None and not NETWORKS[network_name(model)].SEVERAL_LABELS:
        received = bias.value.grad.numpy()
        expected = np.mean(error, axis=0)
        np.testing.assert_allclose(received, expected, rtol=0, atol=1e-6)


def test_training_loss_is_that_of_the_original(golden):
    model = golden.import_weights()
    loss = ops.convert_to_numpy(training_loss(model, golden))
    np.testing.assert_allclose(loss, golden["training_loss"], rtol=1e-5)


@torch_alone
def test_gradients_of_the_training_loss_are_those_of_the_original(golden, name):
    model = golden.import_weights()
    training_loss(model, golden).backward()
    expected = golden.import_gradients("training_gradients")
    compare_gradients(model, expected, name)


@pytest.mark.one_backend(reason="it asks which numbers there are")
def test_a_clone_proves_each_network():
    equal = {name: set() for name in NETWORKS}
    for variant in variants(OWN).values():
        model = Golden(variant).import_weights()
        equal[network_name(model)].add(variant.source)
    for name, cls in NETWORKS.items():
        assert not cls.ORIGINALS or equal[name]
        assert equal[name] <= set(cls.ORIGINALS)


def columns(model, probabilities):
    """The predictions of each label of a model, `(batch, 1)`."""
    if isinstance(probabilities, dict):
        return [probabilities[label] for label in model.schema.labels]
    return [probabilities]


def cross_entropy(golden, model, probabilities):
    """The sum over the labels of the mean over the rows."""
    labels = golden.by_label("labels")
    return sum(
        ops.mean(ops.binary_crossentropy(labels[:, i : i + 1], column))
        for i, column in enumerate(columns(model, probabilities))
    )


def training_loss(model, golden):
    # The originals were recorded with the statistics of their evaluation.
    x = golden.inputs(model.schema)
    probabilities, kept = predicted_and_kept(model, x)
    labels = golden.by_label("labels")
    if len(model.schema.labels) > 1:
        labels = {
            label: labels[:, i : i + 1]
            for i, label in enumerate(model.schema.labels)
        }
    extra = model.extra_loss(labels, probabilities, kept)
    if "/".join(golden.variant[:3]) in ALONE_RECORDED:
        return extra
    return cross_entropy(golden, model, probabilities) + extra


def compare_gradients(model, expected, name):
    expected = named_weights(expected)
    sizes = model.schema.unshared_vocabularies
    for weight, variable in named_weights(model).items():
        if not variable.trainable or weight in SHARED.get(name, ()):
            continue
        if weight == "click/bias":
            continue
        target = ops.convert_to_numpy(expected[weight].value)
        gradient = variable.value.grad
        received = np.zeros_like(target)
        if gradient is not None:
            received = gradient.to_dense().numpy()
        if weight.endswith("/embeddings") and "padding" in name:
            # The padding rows of the originals are not trained.
            names = model.vocabularies_of_tables[weight.split("/")[0]]
            received[np.cumsum([0, *(sizes[n] for n in names[:-1])])] = 0
        largest = max(np.abs(target).max(initial=0), 1e-4)
        np.testing.assert_allclose(
            received, target, rtol=0, atol=1e-4 * largest, err_msg=weight
        )
