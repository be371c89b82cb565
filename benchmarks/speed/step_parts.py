"""Times the parts of a training step."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops
from timing import median_seconds

ROUNDS = 10


def time_parts(
    model: keras.Model, batch: tuple[Any, Any], step_seconds: float
) -> dict[str, float]:
    """Returns the milliseconds of the lookups, the network and the update.

    The forward lookups are timed alone. Forward and backward pass are timed
    together, compiled where the backend compiles. The network is the rest of
    them, which includes the sums of the tables' gradients. The update is the
    rest of a step, with all that the optimizer does.

    Args:
        model: compiled, with a loss that takes `(y_true, y_pred)`.
        batch: `(inputs, labels)`, on the device.
        step_seconds: of a whole step.
    """
    inputs, labels = batch
    tables = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Embedding)
    ]
    lookups = keras.Model(model.inputs, [table.output for table in tables])
    lookup = _seconds(_forward(lookups), inputs)
    passes = _seconds(_gradients(model), inputs, labels)
    return {
        "lookup_ms": 1e3 * lookup,
        "network_ms": 1e3 * (passes - lookup),
        "update_ms": 1e3 * (step_seconds - passes),
    }


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    return median_seconds(lambda: wait_for(function(*arguments)), ROUNDS)


def wait_for(results: Any) -> None:
    """Waits until the device has computed the results."""
    for result in keras.tree.flatten(results):
        # Reading one number waits for all work: a GPU does it in order.
        ops.convert_to_numpy(ops.ravel(result)[:1])


def _forward(model: keras.Model) -> Callable[..., Any]:
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        call = jax.jit(lambda state, x: model.stateless_call(*state, x)[0])
        return lambda x: call(_jax_state(model), x)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda x: model(x), jit_compile=model.jit_compile)
    import torch

    return torch.no_grad()(lambda x: model(x))


def _gradients(model: keras.Model) -> Callable[..., Any]:
    backend = keras.backend.backend()
    loss = keras.losses.get(model.loss)
    variables = model.trainable_variables

    def total(x, y):
        return ops.mean(loss(y, model(x, training=True)))

    if backend == "jax":
        import jax

        def of_state(trainable, other, x, y):
            predicted, _ = model.stateless_call(
                trainable, other, x, training=True
            )
            return ops.mean(loss(y, predicted))

        compute = jax.jit(jax.grad(of_state))
        return lambda x, y: compute(*_jax_state(model), x, y)
    if backend == "tensorflow":
        import tensorflow as tf

        def of_tape(x, y):
            with tf.GradientTape() as tape:
                value = total(x, y)
            gradients = tape.gradient(value, [v.value for v in variables])
            return [getattr(g, "values", g) for g in gradients]

        return tf.function(of_tape, jit_compile=model.jit_compile)
    import torch

    parameters = [v.value for v in variables]
    return lambda x, y: torch.autograd.grad(total(x, y), parameters)


def _jax_state(model):
    return (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    )
