"""Runs an operation in each way in which a training step may run it."""

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()
WAYS = {
    "tensorflow": ["eager", "graph", "xla"],
    "jax": ["jit"],  # Outside of it only a lookup differs from the reference.
    "torch": ["eager"],
}[BACKEND]


def to_numpy(tensor):
    """As NumPy's own type: float32 for 16 bits."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if "float" in dtype:
        tensor = ops.cast(tensor, "float32")
    return np.array(ops.convert_to_numpy(tensor))


def run(way, function, *arrays, batch_arguments=0):
    """Returns the arrays that `function` returns of tensors.

    Keras traces TensorFlow's steps for a batch of any size, which is the first
    axis of the first `batch_arguments` arrays.
    """
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if way == "jit":
        import jax

        function = jax.jit(function)
    elif way != "eager":
        import tensorflow as tf

        specs = [
            tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)
            if i < batch_arguments
            else tf.TensorSpec(tensor.shape, tensor.dtype)
            for i, tensor in enumerate(tensors)
        ]
        function = tf.function(
            function, input_signature=specs, jit_compile=way == "xla"
        )
    return [to_numpy(tensor) for tensor in function(*tensors)]


def look_up(operations, layer, ids, upstream, mask=None):
    """Returns rows, and the gradients of table and counts, all dense."""
    table, counts = layer.embeddings, layer.id_counts
    return with_gradients(
        lambda: operations.look_up(table, table.cowclip, ids, mask),
        [table, counts],
        upstream,
    )


def count_ids(operations, counts, ids, rows):
    return with_gradients(
        lambda: operations.count_ids(rows, ops.convert_to_tensor(counts), ids),
        [counts],
        rows,
    )


def with_gradients(function, variables, upstream):
    if BACKEND == "jax":
        import jax

        def stateless(*values):
            pairs = zip(variables, values, strict=True)
            with keras.StatelessScope(pairs):
                return function()

        rows, pull_back = jax.vjp(stateless, *(v.value for v in variables))
        return rows, *pull_back(upstream)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            rows = function()
        gradients = tape.gradient(rows, [v.value for v in variables], upstream)
        pairs = zip(gradients, variables, strict=True)
        return rows, *(summed(g, v.shape[0]) for g, v in pairs)
    import torch

    rows = function()
    gradients = torch.autograd.grad(
        rows, [v.value for v in variables], upstream
    )
    return rows.detach(), *(g.to_dense() for g in gradients)


def summed(gradient, rows):
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)


def sparse_gradient(ids, values, shape):
    """A gradient in the backend's sparse format, ids repeated."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.IndexedSlices(values, ids, tf.constant(shape))
    import torch

    return torch.sparse_coo_tensor(
        ids[None], values, shape, check_invariants=True
    )


def adam(way, operation, optimizer, variable, gradients, rate, l2):
    """Returns the weight and its moments after a step for each gradient."""
    optimizer.build([variable])
    slots = [variable, optimizer._momentums[0], optimizer._velocities[0]]

    def step(iterations, gradient, rate, *values):
        pairs = zip(
            [optimizer.iterations, *slots], [iterations, *values], strict=True
        )
        if BACKEND == "jax":
            with keras.StatelessScope(pairs) as scope:
                operation(optimizer, gradient, variable, rate, l2)
            return [scope.get_current_value(slot) for slot in slots]
        for each, value in pairs:
            each.assign(value)
        bare = variable.value if BACKEND == "tensorflow" else variable
        operation(optimizer, gradient, bare, rate, l2)
        return [ops.convert_to_tensor(slot) for slot in slots]

    for iterations, gradient in enumerate(gradients):
        arrays = [np.array(iterations, "int32"), gradient, rate]
        values = run(way, step, *arrays, *map(to_numpy, slots))
        for slot, value in zip(slots, values, strict=True):
            slot.assign(value)
    return values
