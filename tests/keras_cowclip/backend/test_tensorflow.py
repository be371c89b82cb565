"""Tests which parts of a training step XLA compiles on TensorFlow."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("these are TensorFlow's graphs", allow_module_level=True)

import tensorflow as tf

import keras_cowclip as kc
from keras_cowclip.backend import tensorflow as native
from keras_cowclip.clipping import adaptive_column_factor

from .. import networks


def compiled_functions(make_optimizer):
    """The operations of each function that XLA compiles in a training step."""
    model = networks.one_table(make_optimizer(), 50, 4)
    batch = np.zeros((8, 3), "int32"), np.ones((8, 1), "float32")
    model.train_on_batch(*batch)

    def step(x, y):
        # `fit` calls this on each batch.
        return model.train_step((x, y))

    graph = tf.function(step).get_concrete_function(*batch).graph
    return [
        {node.op for node in function.node_def}
        for function in graph.as_graph_def().library.function
        if function.attr["_XlaMustCompile"].b
    ]


def compiled_updates(make_optimizer):
    return [
        operations
        for operations in compiled_functions(make_optimizer)
        if "AssignAddVariableOp" in operations
    ]


def test_an_update_is_compiled_in_a_graph():
    (operations,) = compiled_updates(kc.CowClip)
    assert "UnsortedSegmentSum" in operations


@pytest.mark.parametrize("optimizer", [kc.CowClip, keras.optimizers.SGD])
def test_counts_are_compiled_in_a_graph(optimizer):
    (operations,) = (
        operations
        for operations in compiled_functions(optimizer)
        if "AssignAddVariableOp" not in operations
    )
    assert "UnsortedSegmentSum" in operations


def test_the_rows_of_a_lazy_step_are_summed_compiled():
    counts, rows = compiled_functions(lambda: kc.CowClip(lazy=True))
    assert "UnsortedSegmentSum" in counts & rows


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 1.0},
        {"clipvalue": 1.0},
        {"global_clipnorm": 1.0},
        {"loss_scale_factor": 2.0},
    ],
)
def test_a_gradient_that_keras_reads_is_summed_before(arguments):
    (operations,) = compiled_updates(lambda: kc.CowClip(**arguments))
    assert "UnsortedSegmentSum" not in operations


def test_neither_a_lazy_step_nor_a_custom_clip_is_compiled():
    assert not compiled_updates(lambda: kc.CowClip(lazy=True))

    class HalfClip(kc.CowClip):
        def _table_factor(self, gradient, table, counts):
            return 0.5 * adaptive_column_factor(gradient, table, counts)

    assert not compiled_updates(HalfClip)


def test_an_update_over_two_devices_or_replicas_is_left_as_it_is():
    class Variable:
        def __init__(self, device):
            self.device = device

    def update(gradient):
        raise AssertionError("must not be called")

    with tf.Graph().as_default():
        here, there = Variable("/device:CPU:0"), Variable("/device:GPU:0")
        assert native.compiled(update, [here, here]) is not update
        assert native.compiled(update, [here, there]) is update
        with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
            assert native.compiled(update, [here, here]) is update


def test_moments_made_in_a_graph_have_memory_of_their_own():
    layer = kc.CowClipEmbedding(1000, 16)
    layer.build()
    optimizer = kc.CowClip()

    @tf.function
    def first_step():
        # As in `fit`, where Keras builds it with the first gradients.
        optimizer.build(layer.trainable_variables)

    first_step()
    momentum, velocity = (
        np.from_dlpack(moments[0].value.read_value())
        for moments in (optimizer._momentums, optimizer._velocities)
    )
    assert not np.shares_memory(momentum, velocity)


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_accumulation_steps": 2},
        {"clipnorm": 1.0},
        {"global_clipnorm": 1.0},
        {"clipvalue": 1.0},
        {"use_ema": True, "ema_overwrite_frequency": 3},
    ],
    ids=str,
)
def test_what_differs_over_replicas_is_refused(options, monkeypatch):
    optimizer = kc.CowClip(**options)
    native.check_replicas(optimizer)
    monkeypatch.setattr(
        tf.distribute,
        "get_strategy",
        lambda: SimpleNamespace(num_replicas_in_sync=2),
    )
    with pytest.raises(NotImplementedError, match=f"`{[*options][-1]}` does"):
        native.check_replicas(optimizer)
