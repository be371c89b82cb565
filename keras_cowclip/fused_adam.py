"""Adam on PyTorch in one pass over a weight, where Keras' own makes ten.

XLA fuses the op-by-op arithmetic by itself; see `flat_adam`, and `one_pass`
for TensorFlow.
"""

import keras
import numpy as np
from keras import ops


def can_fuse(variable, learning_rate) -> bool:
    """Whether `fused_adam_step` does what `keras.optimizers.Adam` does."""
    if (
        keras.backend.backend() != "torch"
        or keras.backend.standardize_dtype(variable.dtype) != "float32"
        or len(learning_rate.shape)
    ):
        return False
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

    `2 * l2 * variable` is added to the gradient by the kernel.
    """
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
