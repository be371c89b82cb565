"""How a model of the zoo reads `ClickBatches` on TensorFlow.

Keras hands a `PyDataset` to `tf.data` with its tuner on. When the iterator is
given up, TensorFlow (2.21) often waits for the tuner to wake, which it does
after 10 ms and then after twice the time each: `fit`, `evaluate` and `predict`
take up to twice as long as their work, and up to a minute more. So the models
read a data set whose tuner is off, and tell the batches of their epochs, as
Keras would.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from zoo import batch_views
from zoo.batches import ClickBatches


def for_fit(x: Any, validation_data: Any, arguments: dict[str, Any]):
    """Returns what `fit` takes instead of its data and keyword arguments."""
    callbacks = arguments.get("callbacks") or []
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    # Keras is to shuffle the batches by default, which takes its `PyDataset`.
    if (
        _meets_tuner(x)
        and not arguments.get("shuffle", True)
        and isinstance(callbacks, (list, tuple))
    ):
        arguments = {**arguments, "callbacks": [EpochsOf(x), *callbacks]}
        x = batch_views.tf_epochs(x)
    if _meets_tuner(validation_data):
        validation_data = batch_views.tf_epochs(validation_data)
    return x, validation_data, arguments


@contextlib.contextmanager
def one_epoch(x: Any) -> Iterator[Any]:
    """Yields what `evaluate` or `predict` takes instead of its data."""
    if not _meets_tuner(x):
        yield x
        return
    # Keras ends an epoch before the first one begins, too.
    x.on_epoch_end()
    x.on_epoch_begin()
    yield batch_views.tf_epochs(x)
    x.on_epoch_end()


class EpochsOf(keras.callbacks.Callback):
    """Tells batches where the epochs of a `fit` begin and end."""

    def __init__(self, batches: ClickBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_train_begin(self, logs=None):
        # As in `one_epoch`.
        self._batches.on_epoch_end()

    def on_epoch_begin(self, epoch, logs=None):
        self._batches.on_epoch_begin()

    def on_epoch_end(self, epoch, logs=None):
        self._batches.on_epoch_end()


def _meets_tuner(x: Any) -> bool:
    # Several workers have a queue of Keras' own, without the tuner.
    return (
        keras.backend.backend() == "tensorflow"
        and isinstance(x, ClickBatches)
        and x.workers == 1
    )
