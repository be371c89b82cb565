"""Batches for loops of your own, in PyTorch or TensorFlow.

Neither is imported before it is asked for.
"""

from typing import Any


class Passes:
    """The places of the batches of pass after pass: `(epoch, step)` pairs.

    Each iteration is the next epoch. In PyTorch's terms this is a sampler: it
    runs in the main process and tells the workers what to read, so they all
    know the epoch.
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

        inputs, labels = self.batches.batch(*place)
        return (
            {name: torch.from_numpy(array) for name, array in inputs.items()},
            torch.from_numpy(labels),
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
    rows = batches.batch_size if batches.drop_remainder else None
    widths = batches.split.widths
    signature = (
        {
            "dense": tf.TensorSpec((rows, widths["dense"]), tf.float32),
            "ids": tf.TensorSpec((rows, widths["ids"]), tf.int32),
        },
        tf.TensorSpec((rows, 1), tf.float32),
    )
    # Counted now: iterating moves on, and only a first pass that starts in the
    # middle has another number of batches than those after it.
    all_alike = len(passes) == passes.batches_per_epoch
    dataset = tf.data.Dataset.from_generator(
        lambda: (batches.batch(*place) for place in passes),
        output_signature=signature,
    )
    if all_alike:
        dataset = dataset.apply(
            tf.data.experimental.assert_cardinality(passes.batches_per_epoch)
        )
    return dataset.prefetch(tf.data.AUTOTUNE)
