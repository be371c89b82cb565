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
        import tensorflow as tf  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "`to_tf` needs TensorFlow. Install it with "
            "`pip install tensorflow`."
        ) from error
    passes = Passes(batches)
    # Counted now: iterating moves on, and only a first pass that starts in the
    # middle has another number of batches than those after it.
    all_alike = len(passes) == passes.batches_per_epoch
    return _tf_dataset(
        lambda: (batches.batch(*place) for place in passes),
        _tf_signature(batches),
        passes.batches_per_epoch if all_alike else None,
    )


def tf_epochs(batches: Any) -> Any:
    """In each pass the epoch that `fit` has moved the batches to."""
    return _tf_dataset(
        lambda: (batches[i] for i in range(len(batches))),
        _tf_signature(batches),
        len(batches),
    )


def _tf_signature(batches):
    import tensorflow as tf

    rows = batches.batch_size if batches.drop_remainder else None
    widths = batches.split.widths
    return (
        {
            "dense": tf.TensorSpec((rows, widths["dense"]), tf.float32),
            "ids": tf.TensorSpec((rows, widths["ids"]), tf.int32),
        },
        tf.TensorSpec((rows, 1), tf.float32),
    )


def _tf_dataset(generator, signature, cardinality):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_generator(
        generator, output_signature=signature
    )
    if cardinality is not None:
        dataset = dataset.apply(
            tf.data.experimental.assert_cardinality(cardinality)
        )
    # `zoo.tensorflow_input` says what the tuner costs.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(2).with_options(options)
