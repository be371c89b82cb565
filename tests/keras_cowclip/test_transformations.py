"""Compares the layer with `keras.layers.Embedding` outside of `fit`.

In gradients of functions, in those of each sample, and in forward mode.
"""

import keras
import numpy as np
import pytest
from keras import ops

import keras_cowclip as kc

BACKEND = keras.backend.backend()
IDS = np.array([[0, 1], [1, 1], [4, -1]], "int32")


def make_layers():
    ours, theirs = kc.CowClipEmbedding(5, 3), keras.layers.Embedding(5, 3)
    for layer in (ours, theirs):
        layer.build()
        layer.set_weights([np.arange(15, dtype="float32").reshape(5, 3)])
    return ours, theirs


def state_and_loss(layer):
    """The layer's trainable arrays, and a loss of those and of ids."""
    variables = layer.trainable_variables

    def loss(values, ids):
        state = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state):
            return ops.sum(ops.square(layer(ids)))

    if BACKEND == "tensorflow":
        # It differentiates by its variables themselves.
        return [v.value for v in variables], lambda _, ids: ops.sum(
            ops.square(layer(ids))
        )
    return [ops.convert_to_tensor(v) for v in variables], loss


def gradient_of(loss):
    if BACKEND == "jax":
        import jax

        return jax.grad(loss)
    if BACKEND == "torch":
        import torch

        return torch.func.grad(loss)
    import tensorflow as tf

    def gradient(values, ids):
        with tf.GradientTape() as tape:
            total = loss(values, ids)
        gradients = tape.gradient(total, values)
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    return gradient


def each_sample(function):
    if BACKEND == "jax":
        import jax

        return jax.vmap(function, in_axes=(None, 0))
    if BACKEND == "torch":
        import torch

        return torch.func.vmap(function, in_dims=(None, 0))
    import tensorflow as tf

    return lambda values, ids: tf.vectorized_map(
        lambda ids: function(values, ids), ids
    )


def as_numpy(tensors):
    return [ops.convert_to_numpy(ops.stop_gradient(t)) for t in tensors]


def test_gradients_of_functions_equal_those_of_keras():
    gradients = []
    for layer in make_layers():
        values, loss = state_and_loss(layer)
        gradients.append(as_numpy(gradient_of(loss)(values, ops.array(IDS))))
    (table, counts), (expected,) = gradients
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    np.testing.assert_array_equal(counts, [1, 3, 0, 0, 2])


def test_gradients_of_each_sample_equal_those_of_keras():
    gradients = []
    for layer in make_layers():
        values, loss = state_and_loss(layer)
        gradient = each_sample(gradient_of(loss))
        gradients.append(as_numpy(gradient(values, ops.array(IDS))))
    (table, counts), (expected,) = gradients
    assert table.shape == (3, 5, 3)
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    np.testing.assert_array_equal(
        counts, [[1, 1, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 0, 0, 2]]
    )


# torch's own code, which its forward mode imports.
OF_TORCH = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
)


@OF_TORCH
@pytest.mark.skipif(
    BACKEND == "tensorflow", reason="TensorFlow has no jvp of a function"
)
def test_forward_mode_equals_that_of_keras():
    tangents = []
    for layer in make_layers():
        if hasattr(layer, "id_counts"):
            layer.id_counts.trainable = False
        values, loss = state_and_loss(layer)
        if BACKEND == "jax":
            import jax as transformations
        else:
            import torch.func as transformations
        _, tangent = transformations.jvp(
            lambda values, loss=loss: loss(values, ops.array(IDS)),
            (values,),
            ([ops.ones_like(value) for value in values],),
        )
        tangents.extend(as_numpy([tangent]))
    assert tangents[0] == tangents[1] != 0


@OF_TORCH
@pytest.mark.skipif(BACKEND != "torch", reason="JAX counts in backward only")
def test_forward_mode_of_pytorch_also_counts():
    import torch

    layer, _ = make_layers()
    values, loss = state_and_loss(layer)
    _, tangent = torch.func.jvp(
        lambda values: loss(values, ops.array(IDS)),
        (values,),
        ([ops.ones_like(value) for value in values],),
    )
    assert tangent == (2 * values[0][IDS.ravel()]).sum()


@pytest.mark.skipif(
    BACKEND != "jax", reason="other backends raise for ids out of range"
)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("counted", [False, True])
def test_ids_out_of_range_are_nan_as_in_keras(compiled, counted):
    import jax

    ids = np.array([-11, -10, -6, -5, -1, 0, 4, 5, 9, 10], "int32")
    layers = make_layers()
    layers[0].id_counts.trainable = counted
    ours, theirs = (
        np.asarray((jax.jit(layer) if compiled else layer)(ids))
        for layer in layers
    )
    np.testing.assert_array_equal(ours, theirs)
    assert np.isnan(ours[[0, 1, 2, 7, 8, 9]]).all()


@pytest.mark.parametrize("frequency", [None, 2])
def test_other_optimizers_keep_an_average_without_counts(frequency):
    weights = []
    for layer in make_layers():
        if hasattr(layer, "id_counts"):
            layer.id_counts.trainable = False
        model = keras.Sequential([layer, keras.layers.Flatten()])
        model.compile(
            keras.optimizers.Adam(
                0.1, use_ema=True, ema_overwrite_frequency=frequency
            ),
            "mse",
        )
        model.fit(IDS, np.zeros((3, 6)), epochs=3, verbose=0)
        weights.append(layer.get_weights()[0])
    np.testing.assert_allclose(*weights, rtol=1e-6)
