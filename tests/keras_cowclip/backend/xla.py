"""Compiles an update of a table with XLA, on JAX and on TensorFlow."""

import keras

from keras_cowclip import CowClip
from keras_cowclip import CowClipEmbedding


def compiled_update(optimizer: CowClip, rows: int, columns: int) -> str:
    """The program of one update of a table on a CPU, as text."""
    program = {"jax": _of_jax, "tensorflow": _of_tensorflow}
    return program[keras.backend.backend()](optimizer, rows, columns)


def _of_jax(optimizer, rows, columns):
    import jax

    with jax.default_device(jax.devices("cpu")[0]):
        weights = [w.value for w in _build(optimizer, rows, columns)]
        state = [variable.value for variable in optimizer.variables]
        update = jax.jit(optimizer.stateless_apply)
        return update.lower(state, weights, weights).compile().as_text()


def _of_tensorflow(optimizer, rows, columns):
    import tensorflow as tf

    with tf.device("/cpu:0"):
        weights = _build(optimizer, rows, columns)

        @tf.function(jit_compile=True)
        def update(*gradients):
            optimizer.apply(gradients, weights)

        gradients = [weight.numpy() for weight in weights]
        compiled = update.experimental_get_compiler_ir(*gradients)
        return compiled(stage="optimized_hlo")


def _build(optimizer, rows, columns):
    layer = CowClipEmbedding(rows, columns)
    layer.build()
    optimizer.build(layer.trainable_variables)
    return layer.trainable_variables
