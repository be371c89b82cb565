from typing import Any

import keras

from zoo.checks import check_boolean
from zoo.checks import check_instance
from zoo.checks import check_integer
from zoo.checks import check_positive_integer
from zoo.data import batch_views
from zoo.data.rows import Rows
from zoo.data.rows import concatenated
from zoo.data.shuffled_rows import ShuffledRows
from zoo.data.split import Split


class ClickBatches(keras.utils.PyDataset):
    """Batches of an encoded split for `fit`, `evaluate` and `predict`.

    Shuffling draws a new order of the whole split every epoch. A split of up
    to 2**20 rows is permuted uniformly. A larger one is cut into chunks of 1024
    consecutive rows; the chunks are put in random order, and the rows of every
    1024 chunks (a window) in that order are permuted uniformly. So a batch
    draws from all over the split, but not independently: two rows of one chunk
    always come within the same 2**20 rows of the epoch. Two windows are in
    memory: 174 MB each with 13 numbers and 26 ids a row, and 210 MB more for a
    sequence of up to 50. Pass `shuffle=False` to `fit`, which would otherwise
    reorder the batches once more.

    A batch depends on the seed, the epoch and its place in it alone, so a run
    can be repeated, broken off and resumed at any step, and read by several
    threads (`workers=2`). The first epoch is 0, and each epoch of `fit` is
    the next one; a custom loop calls `start_at(epoch)` or uses `to_torch` or
    `to_tf`.

    Two things break this promise from outside. With `steps_per_epoch`, the
    epochs of `fit` are not those of the rows. With `workers` above 1, Keras
    3.15 on JAX and PyTorch repeats some batches of the first epoch and leaves
    out others, unless the model has seen a batch before: call
    `model.test_on_batch(*batches[0])`.

    Args:
        split: `zoo.Split`.
        batch_size: integer. Rows per batch; the last one may be smaller.
        shuffle: boolean. Defaults to `False`, the order of the file.
        seed: integer, not negative. Defaults to `0`.
        drop_remainder: boolean. Leaves out the last batch of an epoch if it
            is smaller than the others. Defaults to `False`.
        carry_remainder: boolean. Begins the next epoch with the rows that do
            not fill a batch, so that all batches have the same size and rows
            come equally often. For training: a last batch of few rows takes a
            step as large as the others, on a noisier gradient, just before
            the weights are measured. Defaults to `False`.
        share: pair of integers, the number of this process from 0 and that of
            all of them, of which each trains an equal share of every batch.
            `batch_size` is that of all together. Defaults to `(0, 1)`.
        **kwargs: arguments of `keras.utils.PyDataset`.

    Returns (by index):
        `({"dense": (batch, num_dense) float32, "ids": (batch, num_fields)
        int32}, (batch, 1) float32 labels)`. Each sequence is another input,
        under its name, `(batch, max_length)` int32, padded in front with -1.
        The weights of a split that has some come third, `(batch,)` float32.
        Several labels are a dict `{label: (batch, 1)}`, and with them always
        come weights, `{label: (batch,)}`: 0 where the row lacks that label,
        else the row's weight, or 1.

    Raises:
        ValueError: if an argument is of another type or out of its range, the
            split is empty, no batch is left after dropping the remainder, or
            the remainder is to be both dropped and carried.

    Example:

    ```python
    log = zoo.EncodedLog.load("encoded/criteo")
    batches = zoo.ClickBatches(
        log.split("train"), 8192, shuffle=True, carry_remainder=True
    )
    model = zoo.DeepFM(log.schema)
    model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
    model.fit(batches, shuffle=False)
    ```
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        drop_remainder: bool = False,
        carry_remainder: bool = False,
        share: tuple[int, int] = (0, 1),
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        check_positive_integer("batch_size", batch_size)
        check_integer("seed", seed, 0)
        check_instance("split", split, Split)
        check_boolean("shuffle", shuffle)
        check_boolean("drop_remainder", drop_remainder)
        check_boolean("carry_remainder", carry_remainder)
        if not len(split):
            raise ValueError("`split` must have rows. Received: 0 rows")
        if drop_remainder and len(split) < batch_size:
            raise ValueError(
                "With `drop_remainder`, `split` must have at least one whole "
                f"batch. Received: {len(split)} rows, batch_size={batch_size}"
            )
        if drop_remainder and carry_remainder:
            raise ValueError(
                "`drop_remainder` and `carry_remainder` must not both be "
                "True. Received: drop_remainder=True, carry_remainder=True"
            )
        self.split = split
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.seed = int(seed)
        self.drop_remainder = drop_remainder
        self.carry_remainder = carry_remainder
        self.share = _checked_share(share)
        self._shuffled = ShuffledRows(split, self.seed) if shuffle else None
        self.start_at(0)

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches of a whole epoch."""
        if self.rows_per_batch is None:
            return -(-len(self.split) // self.batch_size)
        return len(self.split) // self.rows_per_batch

    @property
    def rows_per_batch(self) -> int | None:
        """Rows of every batch; `None` if the last one may have less."""
        if self.carry_remainder:
            return min(self.batch_size, len(self.split))
        return self.batch_size if self.drop_remainder else None

    @property
    def position(self) -> tuple[int, int]:
        """The epoch that is being read, and the step at which it starts."""
        return self._position

    def start_at(self, epoch: int, step: int = 0) -> None:
        """Makes `epoch` from `step` on what is read next.

        `fit` asks for the number of batches once, so an epoch that starts in
        the middle must be the only one of its `fit`; whole epochs follow in
        another one.

        Args:
            epoch: integer, not negative.
            step: integer. The number of batches of the epoch to leave out.
                Defaults to `0`.

        Raises:
            ValueError: if the epoch has no such step.

        Example:

        ```python
        log = zoo.EncodedLog.load("encoded/criteo")
        batches = zoo.ClickBatches(log.split("train"), 256, shuffle=True)
        model = zoo.DeepFM(log.schema, hidden_units=(32,))
        model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
        batches.start_at(epoch=3, step=2)
        model.fit(batches, shuffle=False, initial_epoch=3, epochs=4)
        model.fit(batches, shuffle=False, initial_epoch=4, epochs=5)
        ```
        """
        self._check_place(epoch, step)
        self._position = (int(epoch), int(step))
        self._was_placed = True
        self._has_begun = False
        self._needs_new_fit = False

    def batch(self, epoch: int, step: int) -> Rows:
        """Returns one batch of any epoch.

        Args:
            epoch: integer, not negative.
            step: integer, from 0, below `batches_per_epoch`.

        Returns:
            What indexing returns.

        Raises:
            ValueError: if the epoch has no such step.

        Example:

        >>> split = zoo.EncodedLog.load("encoded/criteo").split("train")
        >>> inputs, labels = zoo.ClickBatches(split, 256).batch(epoch=0, step=1)
        >>> inputs["dense"].shape, inputs["ids"].shape, labels.shape
        ((256, 13), (256, 26), (256, 1))
        """
        self._check_place(epoch, step)
        size = self.rows_per_batch or self.batch_size
        start = step * size
        if self.carry_remainder:
            # The epochs of the rows follow each other without a gap.
            start += epoch * self.batches_per_epoch * size
            epoch, start = divmod(start, len(self.split))
        stop = start + size
        if not self.carry_remainder:
            stop = min(stop, len(self.split))
        rows = concatenated(
            self._pieces(epoch, *share_of(start, stop, *self.share))
        )
        return batch_views.keras_batch(rows, self.split.label_names)

    def _pieces(self, epoch: int, start: int, stop: int) -> list[Rows]:
        """The rows of a range, which may go on in the next epoch."""
        rows = len(self.split)
        if start >= rows:
            return [self._read(epoch + 1, start - rows, stop - rows)]
        pieces = [self._read(epoch, start, min(stop, rows))]
        if stop > rows:
            pieces.append(self._read(epoch + 1, 0, stop - rows))
        return pieces

    def _check_place(self, epoch: int, step: int) -> None:
        check_integer("epoch", epoch, 0)
        check_integer("step", step, 0)
        if step >= self.batches_per_epoch:
            raise ValueError(
                f"`step` must be less than {self.batches_per_epoch}, the "
                f"number of batches per epoch. Received: step={step}"
            )

    def _read(self, epoch: int, start: int, stop: int) -> Rows:
        if self._shuffled is None:
            return self.split.read(start, stop)
        return self._shuffled.read(epoch, start, stop)

    def __len__(self):
        return self.batches_per_epoch - self._position[1]

    def __getitem__(self, index):
        epoch, step = self._position
        if not 0 <= index < self.batches_per_epoch - step:
            raise IndexError(
                f"There are {len(self)} batches. Received: index={index}"
            )
        return self.batch(epoch, step + index)

    def on_epoch_begin(self):
        if self._needs_new_fit:
            raise batch_views.not_alone(epoch=self._position[0])
        self._has_begun = True

    def on_epoch_end(self):
        # Keras also calls this once before the first epoch: without
        # `on_epoch_begin`, or right after `start_at` if it built the model
        # from a batch. Those calls are ignored.
        is_real = self._has_begun and not self._was_placed
        self._has_begun = self._was_placed = self._needs_new_fit = False
        if is_real:
            epoch, step = self._position
            self._needs_new_fit = step > 0
            self._position = (epoch + 1, 0)

    def to_torch(self, **kwargs: Any) -> Any:
        """Returns a `torch.utils.data.DataLoader` of the batches as tensors.

        Every pass reads the next epoch; the first is the one set by
        `start_at`. Tensors share the memory of the NumPy arrays.

        Args:
            **kwargs: arguments of `DataLoader`, for example `num_workers`.

        Raises:
            ImportError: if PyTorch is not installed.

        Example:

        ```python
        log = zoo.EncodedLog.load("encoded/criteo")
        batches = zoo.ClickBatches(log.split("train"), 256, shuffle=True)
        for inputs, labels in batches.to_torch():
            inputs["ids"], labels  # (256, 26) int32, (256, 1) float32
        ```
        """
        return batch_views.torch_loader(self, **kwargs)

    def to_tf(self) -> Any:
        """Returns a `tf.data.Dataset` of the batches.

        Every pass reads the next epoch; the first is the one set by
        `start_at`.

        Raises:
            ImportError: if TensorFlow is not installed.

        Example:

        ```python
        log = zoo.EncodedLog.load("encoded/criteo")
        batches = zoo.ClickBatches(log.split("train"), 256, shuffle=True)
        for inputs, labels in batches.to_tf():
            inputs["ids"], labels  # (256, 26) int32, (256, 1) float32
        ```
        """
        return batch_views.tf_dataset(self)

    def to_keras(self) -> Any:
        """Returns what `fit`, `evaluate` and `predict` read fastest.

        On JAX and PyTorch these are the batches themselves. On TensorFlow it
        is a `tf.data.Dataset` as `to_tf` makes it, with the autotuner off.
        Keras passes a `PyDataset` to `tf.data` with the autotuner on. At the
        end of an epoch TensorFlow (2.21) then often waits for the autotuner
        to wake, as long as the epoch took and up to a minute.

        The first pass reads the epoch set by `start_at`, every other one the
        next. An epoch that starts in the middle must be the only one of its
        `fit`. For another `fit`, call `start_at` and this again.

        Example:

        ```python
        log = zoo.EncodedLog.load("encoded/criteo")
        batches = zoo.ClickBatches(log.split("train"), 256, shuffle=True)
        model = zoo.DeepFM(log.schema, hidden_units=(32,))
        model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
        model.fit(batches.to_keras(), shuffle=False)
        ```
        """
        return batch_views.keras_input(self)


def share_of(start: int, stop: int, number: int, count: int) -> tuple[int, int]:
    """Returns the range of one process' rows, of those from `start` to `stop`.

    Args:
        start: integer, the first row.
        stop: integer, behind the last row.
        number: integer from 0, of the process.
        count: integer, of all processes.
    """
    first, last = (
        start + (stop - start) * place // count
        for place in (number, number + 1)
    )
    return first, last


def _checked_share(share: tuple[int, int]) -> tuple[int, int]:
    number, count = share
    check_positive_integer("share[1]", count)
    check_integer("share[0]", number, 0)
    if number >= count:
        raise ValueError(
            "`share[0]` must be less than `share[1]`, the number of shares. "
            f"Received: share={share}"
        )
    return int(number), int(count)
