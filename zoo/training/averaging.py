"""Uses the averages of a model's weights in place of the weights."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Lets a model predict by the averages of its weights, within the scope.

    Does nothing where the optimizer keeps none (`use_ema=False`).

    Args:
        model: compiled model, whose optimizer has taken a step.
    """
    optimizer = inner_optimizer(model)
    if not optimizer.use_ema:
        yield
        return
    _swap(optimizer)
    try:
        yield
    finally:
        _swap(optimizer)


def average_for_good(model: keras.Model) -> None:
    """Replaces the weights by their averages, where the optimizer keeps any."""
    optimizer = inner_optimizer(model)
    if optimizer.use_ema:
        optimizer.finalize_variable_values(model.trainable_variables)


class KeepWeights(keras.callbacks.Callback):
    """Keeps `fit` from replacing the weights by their averages as it ends.

    The next `fit` of the run continues from the weights themselves. Put it
    behind the callbacks that may set `model.stop_training`.
    """

    def on_epoch_end(self, epoch, logs=None):
        is_last = epoch == self.params["epochs"] - 1
        if is_last or self.model.stop_training:
            # Keras asks for it between this and the end of training.
            self._optimizer = inner_optimizer(self.model)
            self._use_ema = self._optimizer.use_ema
            self._optimizer.use_ema = False

    def on_train_end(self, logs=None):
        self._optimizer.use_ema = self._use_ema


def inner_optimizer(model: keras.Model) -> Any:
    """Returns the optimizer that a `LossScaleOptimizer` may wrap."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def _swap(optimizer):
    for variable, average in zip(
        optimizer._trainable_variables,
        optimizer._model_variables_moving_average,
        strict=True,
    ):
        if average is None:  # Of a weight that its gradient overwrites.
            continue
        weight = keras.ops.copy(variable)
        variable.assign(average)
        average.assign(weight)
