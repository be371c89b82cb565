"""Adam in one pass over a weight, where Keras' own makes ten.

By the backend's own kernel on TensorFlow and PyTorch. On JAX, XLA makes three
passes of the op-by-op arithmetic.
"""

import keras
import numpy as np
from keras import ops

from keras_cowclip.replicas import trains_alone


def can_fuse(optimizer, gradient, variable, learning_rate) -> bool:
    """Whether `fused_adam_step` does what `keras.optimizers.Adam` does."""
    backend = keras.backend.backend()
    if (
        backend == "jax"
        or keras.backend.standardize_dtype(variable.dtype) != "float32"
        or len(learning_rate.shape)
    ):
        return False
    if backend == "tensorflow":
        import tensorflow as tf

        return (
            not optimizer.amsgrad
            # Keras squares the slices of a plain `Embedding` one by one, for
            # Adam; so they stay what they are.
            and not isinstance(gradient, tf.IndexedSlices)
            # A kernel takes one variable, not those of several replicas.
            and trains_alone()
        )
    import torch

    return (
        variable.value.device.type in ("cpu", "cuda")
        # A compiled step is fused already, and a kernel would break its graph.
        and not torch.compiler.is_compiling()
    )


def fused_adam_step(
    optimizer, gradient, variable, learning_rate, l2=0.0
) -> None:
    """Updates a weight and its moments in place, as `Adam.update_step` does.

    `2 * l2 * variable` is added to the gradient, on PyTorch by the kernel.
    """
    if keras.backend.backend() == "tensorflow":
        if l2:
            gradient = gradient + 2.0 * l2 * variable
        _tensorflow_step(optimizer, gradient, variable, learning_rate)
    else:
        _torch_step(optimizer, gradient, variable, learning_rate, l2)


def _tensorflow_step(optimizer, gradient, variable, learning_rate):
    import tensorflow as tf

    index = optimizer._get_variable_index(variable)
    steps = ops.cast(optimizer.iterations + 1, "float32")
    beta_1, beta_2 = float(optimizer.beta_1), float(optimizer.beta_2)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=tf.pow(beta_1, steps),
        beta2_power=tf.pow(beta_2, steps),
        lr=ops.cast(learning_rate, "float32"),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=float(optimizer.epsilon),
        grad=ops.cast(gradient, "float32"),
    )


def _torch_step(optimizer, gradient, variable, learning_rate, l2):
    import torch
    from torch.optim.adam import adam

    index = optimizer._get_variable_index(variable)
    slots = [optimizer._momentums, optimizer._velocities]
    if optimizer.amsgrad:
        slots.append(optimizer._velocity_hats)
    # PyTorch's kernel counts the step itself.
    steps = float(ops.convert_to_tensor(optimizer.iterations))
    correction_1 = 1 - optimizer.beta_1 ** (steps + 1)
    correction_2 = 1 - optimizer.beta_2 ** (steps + 1)
    # Keras corrects in float32, which for 1 - beta_2 is off by 1e-5. The kernel
    # is more exact, and would part from the other backends.
    in_float32 = [
        np.float32(1) - np.float32(beta) ** np.float32(steps + 1)
        for beta in (optimizer.beta_1, optimizer.beta_2)
    ]
    rate = float(learning_rate) * np.sqrt(in_float32[1]) / in_float32[0]
    momentum, velocity, *velocity_hat = (
        [slot[index].value.detach()] for slot in slots
    )
    adam(
        [variable.value.detach()],
        [gradient.to(torch.float32)],
        momentum,
        velocity,
        velocity_hat[0] if velocity_hat else [],
        [torch.tensor(steps, device=gradient.device)],
        fused=True,
        amsgrad=optimizer.amsgrad,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        lr=float(rate) * correction_1 / correction_2**0.5,
        weight_decay=2.0 * l2,
        # PyTorch adds it to the corrected root of the velocity, Keras before.
        eps=optimizer.epsilon / correction_2**0.5,
        maximize=False,
    )
