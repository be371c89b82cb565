"""Hands batches to Keras and to custom loops in PyTorch or TensorFlow.

PyTorch and TensorFlow are imported only by the functions that need them.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.data.rows import Rows
from zoo.data.rows import dtype_of


def keras_batch(rows: Rows, label_names: tuple[str, ...]) -> Rows:
    """Makes rows of a split what Keras trains on; see `zoo.ClickBatches`.

    Args:
        rows: as `zoo.Split.read` returns them.
        label_names: tuple of strings.
    """
    inputs, labels, *weights = rows
    inputs = {
        name: np.asarray(array, dtype_of(name))
        for name, array in inputs.items()
    }
    weights = [np.asarray(weight, "float32") for weight in weights]
    if len(label_names) == 1:
        return inputs, labels[:, None].astype("float32"), *weights
    values, counts = {}, {}
    for i, name in enumerate(label_names):
        label = labels[:, i]
        values[name] = np.maximum(label, 0)[:, None].astype("float32")
        counts[name] = (label >= 0).astype("float32")
        for weight in weights:
            counts[name] *= weight
    return inputs, values, counts


class Passes:
    """The `(epoch, step)` pairs of all batches, one epoch an iteration.

    PyTorch calls this a sampler. It runs in the main process, which sends the
    pairs to the workers, so all of them know the epoch.
    """

    def __init__(self, batches):
        self.batches_per_epoch = batches.batches_per_epoch
        self.epoch, self.step = batches.position

    def __len__(self):
        return self.batches_per_epoch - self.step

    def __iter__(self):
        # A generator: PyTorch makes two iterators a pass and uses one, and
        # only that one may move on.
        epoch, first = self.epoch, self.step
        self.epoch, self.step = epoch + 1, 0
        for step in range(first, self.batches_per_epoch):
            yield epoch, step


class TensorBatches:
    """PyTorch's map-style data set from `(epoch, step)` to tensors."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return self.batches.batches_per_epoch

    def __getitem__(self, place):
        import torch

        return keras.tree.map_structure(
            torch.from_numpy, self.batches.batch(*place)
        )


def torch_loader(batches: Any, **kwargs: Any) -> Any:
    """See `zoo.ClickBatches.to_torch`."""
    try:
        from torch.utils.data import DataLoader
    except ImportError as error:
        raise ImportError(
            "`to_torch` needs PyTorch. Install it with `pip install torch`."
        ) from error
    # A batch size of None hands the batches on as they are.
    return DataLoader(
        TensorBatches(batches),
        batch_size=None,
        sampler=Passes(batches),
        **kwargs,
    )


def tf_dataset(batches: Any) -> Any:
    """See `zoo.ClickBatches.to_tf`."""
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "`to_tf` needs TensorFlow. Install it with "
            "`pip install tensorflow`."
        ) from error
    passes = Passes(batches)
    # Counted now: iterating moves on, and only a first pass that starts in the
    # middle has another number of batches than those after it.
    all_alike = len(passes) == passes.batches_per_epoch
    dataset = _from_generator(
        batches, lambda: (batches.batch(*place) for place in passes)
    )
    if all_alike:
        dataset = dataset.apply(
            tf.data.experimental.assert_cardinality(passes.batches_per_epoch)
        )
    return dataset.prefetch(tf.data.AUTOTUNE)


def keras_input(batches: Any, is_looked_at: bool = False) -> Any:
    """See `zoo.ClickBatches.to_keras`.

    Args:
        batches: `ClickBatches`.
        is_looked_at: boolean. Whether Keras opens the data set once to look at
            a batch before the first pass, as `fit` does in the scope of a
            `tf.distribute` strategy. Defaults to `False`.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    # A damaged log raises its own error here. TensorFlow would replace the
    # error by one of its own if it came from within the data set.
    batches.batch(*batches.position)
    passes = Passes(batches)
    first_step = passes.step
    looks = [Passes(batches)] if is_looked_at else []

    def read():
        if looks:
            return (batches.batch(*place) for place in looks.pop())
        if first_step and passes.step != first_step:
            raise not_alone(passes.epoch)
        return (batches.batch(*place) for place in passes)

    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        _from_generator(batches, read)
        .apply(tf.data.experimental.assert_cardinality(len(passes)))
        .prefetch(2)
        .with_options(options)
    )


def not_alone(epoch: int) -> ValueError:
    """Returns the error for an epoch after one that began in the middle."""
    return ValueError(
        "An epoch that starts in the middle must be the only one of its "
        "`fit`, which would otherwise cut all later epochs to the same number "
        f"of batches. Call `start_at({epoch})` and `fit` again for the epochs "
        f"from there on. Received: epoch {epoch} in the same fit"
    )


def _from_generator(batches: Any, generator: Callable[[], Any]) -> Any:
    import tensorflow as tf

    rows = batches.rows_per_batch
    if batches.share != (0, 1):
        rows = None
    split = batches.split

    def spec(array):
        return tf.TensorSpec((rows, *array.shape[1:]), array.dtype)

    return tf.data.Dataset.from_generator(
        generator,
        output_signature=keras.tree.map_structure(
            spec, keras_batch(split.empty(0), split.label_names)
        ),
    )
