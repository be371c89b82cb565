"""Where TensorFlow's lookup is compiled; that all of it is exact is tested with
all else."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip(
        "the other backends have their own lookup", allow_module_level=True
    )

import tensorflow as tf

from keras_cowclip import CowClipEmbedding

NUM_IDS, DIM = 20, 3


def lookup(training, **arguments):
    """Traces a lookup of a batch of any size, and its gradients."""
    layer = CowClipEmbedding(NUM_IDS, DIM, **arguments)
    layer.build()
    weights = [layer.embeddings.value, layer.id_counts.value]

    @tf.function(input_signature=[tf.TensorSpec((None, 2), "int32")])
    def gradients(ids):
        with tf.GradientTape() as tape:
            vectors = layer(ids, training=training)
            total = tf.reduce_sum(tf.cast(vectors, "float32") ** 2)
        return vectors, *tape.gradient(total, weights)

    return layer, gradients


def compiled_functions(gradients):
    return [
        function
        for function in gradients.get_concrete_function()
        .graph.as_graph_def()
        .library.function
        if function.attr["_XlaMustCompile"].b
    ]


def test_training_compiles_what_evaluation_does_not():
    for training, number in ((True, 2), (False, 0), (None, 0)):
        _, gradients = lookup(training)
        assert len(compiled_functions(gradients)) == number


def test_a_lookup_in_a_strategy_is_not_compiled():
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        _, gradients = lookup(training=True)
        assert not compiled_functions(gradients)


@pytest.mark.parametrize("rows", [0, 1, 40])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_it_gives_what_it_gives_as_it_is(rows, dtype):
    generator = np.random.default_rng(0)
    # -1 is the last row.
    ids = generator.integers(-1, NUM_IDS // 2, (rows, 2)).astype("int32")
    layer, compiled = lookup(training=True, dtype=dtype)
    plain_layer, plain = lookup(training=False, dtype=dtype)
    plain_layer.set_weights(layer.get_weights())
    for ours, expected in zip(compiled(ids), plain(ids), strict=True):
        if isinstance(expected, tf.IndexedSlices):
            assert isinstance(ours, tf.IndexedSlices)
            np.testing.assert_array_equal(ours.indices, expected.indices)
            np.testing.assert_array_equal(ours.dense_shape, (NUM_IDS, DIM))
            ours, expected = ours.values, expected.values
        assert ours.dtype == expected.dtype
        np.testing.assert_array_equal(ours, expected)


def test_a_table_may_be_looked_up_twice():
    layer, _ = lookup(training=True)

    @tf.function
    def gradients(first, second):
        with tf.GradientTape() as tape:
            vectors = layer(first, training=True)
            others = layer(second, training=True)
            total = tf.reduce_sum(vectors) + 2.0 * tf.reduce_sum(others)
        return tape.gradient(
            total, [layer.embeddings.value, layer.id_counts.value]
        )

    slices, counts = gradients(tf.constant([[1, 2]]), tf.constant([[2, 2]]))
    table = tf.convert_to_tensor(slices).numpy()
    np.testing.assert_array_equal(table[:4, 0], [0, 1, 5, 0])
    np.testing.assert_array_equal(counts[:4], [0, 1, 3, 0])
