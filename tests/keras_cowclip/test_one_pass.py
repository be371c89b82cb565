"""Where TensorFlow compiles counts and the update of a table; that they are
exact is tested with all else."""

import keras
import numpy as np
import pytest

import keras_cowclip as kc
from keras_cowclip.one_pass import in_one_pass
from keras_cowclip.row_updates import densified

from . import networks

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="JAX compiles the whole step, and PyTorch makes no graph of it",
)


def compiled_functions(make_optimizer):
    """The operations of each function that XLA compiles in a training step."""
    import tensorflow as tf

    model = networks.one_table(make_optimizer(), 50, 4)
    batch = np.zeros((8, 3), "int32"), np.ones((8, 1), "float32")
    model.train_on_batch(*batch)

    def step(x, y):
        # What `fit` calls on each batch.
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


@on_tensorflow
def test_an_update_is_compiled_in_a_graph():
    (operations,) = compiled_updates(kc.CowClip)
    assert "UnsortedSegmentSum" in operations


@on_tensorflow
@pytest.mark.parametrize("optimizer", [kc.CowClip, keras.optimizers.SGD])
def test_counts_are_compiled_in_a_graph(optimizer):
    (operations,) = (
        operations
        for operations in compiled_functions(optimizer)
        if "AssignAddVariableOp" not in operations
    )
    assert "UnsortedSegmentSum" in operations


@on_tensorflow
def test_the_rows_of_a_lazy_step_are_summed_compiled():
    counts, rows = compiled_functions(lambda: kc.CowClip(lazy=True))
    assert "UnsortedSegmentSum" in counts & rows


@on_tensorflow
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


@on_tensorflow
def test_what_is_not_a_pass_over_the_table_is_not_compiled():
    assert not compiled_updates(lambda: kc.CowClip(lazy=True))

    class HalfClip(kc.CowClip):
        def _row_factor(self, gradient, table, counts):
            return 0.5 * super()._row_factor(gradient, table, counts)

    assert not compiled_updates(HalfClip)


def test_an_update_is_left_as_it_is_outside_of_a_graph():
    def update(gradient):
        raise AssertionError("must not be called")

    assert in_one_pass(update, []) is update


@on_tensorflow
def test_an_update_over_two_devices_or_replicas_is_left_as_it_is():
    import tensorflow as tf

    class Variable:
        def __init__(self, device):
            self.device = device

    def update(gradient):
        raise AssertionError("must not be called")

    with tf.Graph().as_default():
        here, there = Variable("/device:CPU:0"), Variable("/device:GPU:0")
        assert in_one_pass(update, [here, here]) is not update
        assert in_one_pass(update, [here, there]) is update
        with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
            assert in_one_pass(update, [here, here]) is update


@on_tensorflow
@pytest.mark.parametrize("dim", [1, 6, 7, 8, 10])
@pytest.mark.parametrize("lookups", [15, 90])
@pytest.mark.parametrize("compiled", [False, True])
def test_rows_of_any_length_are_summed(dim, lookups, compiled):
    import tensorflow as tf

    num_rows = 30
    generator = np.random.default_rng(0)
    ids = generator.integers(0, num_rows, lookups)
    values = generator.normal(size=(lookups, dim)).astype("float32")
    expected = np.zeros((num_rows, dim))
    np.add.at(expected, ids, values)

    @tf.function(
        jit_compile=compiled,
        # As Keras traces it: the batch may have any size.
        input_signature=[
            tf.TensorSpec((None, dim)),
            tf.TensorSpec((None,), "int64"),
        ],
    )
    def gradient(values, ids):
        slices = tf.IndexedSlices(values, ids)
        total = densified(slices, (num_rows, dim), may_pad=True)
        assert total.shape == (num_rows, dim)
        return total

    np.testing.assert_allclose(gradient(values, ids), expected, atol=1e-5)


@on_tensorflow
def test_moments_made_in_a_graph_have_memory_of_their_own():
    import tensorflow as tf

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
