"""Ends a run whose loss or predictions are no longer numbers."""

import contextlib
import math
from collections.abc import Callable
from collections.abc import Iterator

import keras

from zoo.metrics import TrainingDivergedError


class RaiseOnDivergence(keras.callbacks.Callback):
    """Ends a run whose loss is no longer a number, before it is saved.

    Raises:
        TrainingDivergedError: with the step.
    """

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                "The loss must be finite; the training has diverged: lower the "
                f"learning rates. Received: loss={loss} at step {batch}"
            )


@contextlib.contextmanager
def explained_divergence(advice: Callable[[], str]) -> Iterator[None]:
    """Raises an error with advice where a training in the block diverges.

    Args:
        advice: function that returns the beginning of the message.

    Raises:
        TrainingDivergedError: in place of one without advice, or of the
            backend's error.
    """
    try:
        yield
    except TrainingDivergedError as error:
        raise TrainingDivergedError(f"{advice()}{error}") from error
    except RuntimeError as error:
        # PyTorch's cross-entropy does not take a NaN.
        if "should be between 0 and 1" not in str(error):
            raise
        raise TrainingDivergedError(
            f"{advice()}The predictions must be finite; the training has "
            f"diverged: lower the learning rates. Received: {error}"
        ) from error
