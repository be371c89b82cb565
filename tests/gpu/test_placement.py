"""Tests that a step's tensors lie on the GPU, and that tables stay there."""

from unittest import mock

import keras
import pytest

import keras_cowclip

from . import clicks

BACKEND = keras.backend.backend()


def device(tensor):
    """`"cpu"` or the kind of GPU, such as `"cuda"` or `"gpu"`."""
    if BACKEND == "jax":
        [device] = tensor.devices()
        return device.platform
    if BACKEND == "torch":
        return tensor.device.type
    import tensorflow as tf

    return tf.DeviceSpec.from_string(tensor.device).device_type.lower()


@pytest.fixture(scope="module")
def expected(on_gpu):
    if on_gpu:
        return {"jax": "gpu", "torch": "cuda", "tensorflow": "gpu"}[BACKEND]
    # Where the tests that are for any machine compute, too.
    return device(keras.ops.zeros(()))


@pytest.mark.parametrize("lazy", [False, True], ids=["dense", "lazy"])
def test_weights_and_moments_are_on_the_device(lazy, sizes, expected):
    model = clicks.compiled(sizes, lazy=lazy)
    clicks.fit(model, sizes)
    variables = [*model.variables, *model.optimizer.variables]
    if BACKEND == "tensorflow":
        # It keeps integers, such as the number of steps, in the host's memory.
        variables = [v for v in variables if "int" not in v.dtype]
    places = {v.path: device(v.value) for v in variables}
    assert len(places) > 20
    assert places == dict.fromkeys(places, expected)


def test_batches_are_on_the_device(sizes, expected):
    seen = []
    look_up = keras_cowclip.CowClipEmbedding.call

    def call(layer, ids):
        vectors = look_up(layer, ids)
        # On TensorFlow ids, integers, may wait on the host.
        seen.append(vectors if BACKEND == "tensorflow" else ids)
        return vectors

    def loss(y_true, y_pred):
        seen.append(y_pred if BACKEND == "tensorflow" else y_true)
        return keras.losses.binary_crossentropy(y_true, y_pred)

    model = clicks.compiled(
        sizes, loss=loss, compile_arguments={"run_eagerly": True}
    )
    with mock.patch.object(keras_cowclip.CowClipEmbedding, "call", call):
        clicks.fit(model, sizes._replace(steps=1))
    seen = [x for x in seen if is_concrete(x)]
    assert len(seen) >= 3
    assert {device(x) for x in seen} == {expected}


def is_concrete(tensor):
    """Whether it has values: Keras traces a model before it trains."""
    if BACKEND == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer)
    if BACKEND == "torch":
        return tensor.device.type != "meta"
    return hasattr(tensor, "numpy")


@pytest.mark.skipif(BACKEND != "torch", reason="watches PyTorch's operators")
@pytest.mark.parametrize("lazy", [False, True], ids=["dense", "lazy"])
def test_no_table_is_copied_to_the_host_on_torch(lazy, sizes):
    from .host_copies import HostCopies

    model = clicks.compiled(sizes, lazy=lazy)
    clicks.fit(model, sizes)
    with HostCopies() as copies:
        clicks.fit(model, sizes)
    assert sum(copies.bytes) < 4 * sizes.num_ids


@pytest.mark.skipif(BACKEND != "torch", reason="watches PyTorch's operators")
def test_copies_to_the_host_are_seen():
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from .host_copies import HostCopies

    # Tensors on a GPU that isn't there.
    with FakeTensorMode(), HostCopies() as copies:
        on_gpu = torch.ones(1000, device="cuda")
        (on_gpu + 1).cpu()
        torch.empty(1000).copy_(on_gpu)
        on_gpu.sum(dim=0, keepdim=True)
    assert copies.bytes == [4000, 4000]


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's transfer guard")
@pytest.mark.parametrize("lazy", [False, True], ids=["dense", "lazy"])
def test_no_step_copies_to_the_host_on_jax(lazy, sizes):
    import jax

    model = clicks.compiled(sizes, lazy=lazy)
    clicks.fit(model, sizes)
    batch = jax.device_put(clicks.click_log(sizes.num_ids, sizes.batch_size))
    state = model._get_jax_state(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
    )
    # Where the host is the device nothing is copied: see the next lines.
    with jax.transfer_guard_device_to_host("disallow_explicit"):
        for _ in range(3):
            _, state = model.train_function(state, iter([batch]))
        jax.block_until_ready(state)
    step = jax.make_jaxpr(model.train_step)(state, batch)
    assert "scatter" in str(step)
    assert "callback" not in str(step)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's graph")
@pytest.mark.parametrize("lazy", [False, True], ids=["dense", "lazy"])
def test_a_step_is_one_compiled_piece_on_tensorflow(lazy, sizes, on_gpu):
    import tensorflow as tf

    # By default TensorFlow puts operators that a GPU lacks on the host,
    # inputs and all. XLA compiles a whole step for the device or refuses.
    model = clicks.compiled(
        sizes, lazy=lazy, compile_arguments={"jit_compile": True}
    )
    clicks.fit(model, sizes)
    if on_gpu:  # Keras' own choice, which is another one without a GPU.
        automatic = clicks.compiled(sizes, lazy=lazy)
        clicks.fit(automatic, sizes)
        assert automatic.jit_compile is True
    inputs, labels = clicks.click_log(sizes.num_ids, sizes.batch_size)
    batch = tf.nest.map_structure(tf.constant, (inputs, labels))
    step = tf.function(model.train_step).get_concrete_function(batch)
    operators = {
        operator.type
        for graph in (step.graph, *functions_of(step.graph))
        for operator in graph.get_operations()
    }
    assert "ReadVariableOp" in operators
    assert not {o for o in operators if "PyFunc" in o or "Host" in o}


def functions_of(graph):
    return [f.graph for f in graph._functions.values() if hasattr(f, "graph")]
