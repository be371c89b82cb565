"""A table's update on TensorFlow as one loop, where op by op it makes twenty.

It begins with the sum of a row's gradients: XLA writes it in a third of the
time of TensorFlow's `unsorted_segment_sum`, and counts of ids in a seventh. In
return a batch of another size, such as the last one of an epoch, is compiled
anew, .2 s once.

JAX compiles a whole step. Both need help with Adam itself, see `flat_adam`,
and JAX with more, see `present_rows`. PyTorch has a kernel, see `fused_adam`.
That of TensorFlow takes `1 - beta_2` of a float32, off by 1e-5, and would part
from the other backends.
"""

import contextlib
import platform
from collections.abc import Callable
from typing import Any

import keras

from keras_cowclip.replicas import trains_alone


def in_one_pass(update: Callable, variables: list) -> Callable:
    """Returns `update`, compiled where that can be part of a larger graph.

    Args:
        update: a function of tensors, which may assign to variables.
        variables: of those that it reads and writes, one for each device that
            they may be on.
    """
    if not can_compile(variables):
        return update
    import tensorflow as tf

    return tf.function(update, jit_compile=True, autograph=False)


def can_compile(variables: list) -> bool:
    """Whether TensorFlow can compile a part of the step for `variables`."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not (
        # Each call would be compiled anew.
        tf.executing_eagerly()
        or tf.distribute.has_strategy()
        or len({variable.device for variable in variables}) > 1
        # XLA does not compile for the GPU of a Mac.
        or (
            platform.system() == "Darwin"
            and tf.config.list_physical_devices("GPU")
        )
    )


def outside_of_a_graph() -> contextlib.AbstractContextManager:
    """Where to make the variables that an update writes in place.

    Made as the first step is traced, all of TensorFlow's share one array of
    zeros, and XLA makes new arrays for what is not a variable's alone: the
    peak of memory is that of this step.
    """
    if keras.backend.backend() != "tensorflow" or not trains_alone():
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.init_scope()


def is_compiled_by_jax(tensor: Any) -> bool:
    """Whether JAX compiles what is done with `tensor`, and for one device."""
    if keras.backend.backend() != "jax" or not trains_alone():
        return False
    import jax

    return isinstance(tensor, jax.core.Tracer)
