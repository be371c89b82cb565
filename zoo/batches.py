import keras
import numpy as np

from zoo.encoded_log import Split


class ClickBatches(keras.utils.PyDataset):
    """Batches of an encoded split for `fit`, `evaluate` and `predict`.

    Shuffling draws a new order of the whole split every epoch from `seed` and
    the epoch's number, so a run can be repeated. Pass `shuffle=False` to
    `fit`, which would otherwise reorder the batches once more.

    Args:
        split: `zoo.encoded_log.Split`.
        batch_size: integer. Rows per batch; the last one may be smaller.
        shuffle: boolean. Defaults to `False`, the order of the file.
        seed: integer. Defaults to `0`.
        **kwargs: arguments of `keras.utils.PyDataset`.

    Returns (by index):
        `({"dense": (batch, num_dense), "ids": (batch, num_fields)},
        (batch, 1) float32 labels)`.

    Raises:
        ValueError: if the batch size is not a positive integer or the split is
            empty.

    Example:

    ```python
    log = zoo.EncodedLog.load("encoded/criteo")
    batches = zoo.ClickBatches(log.splits["train"], 8192, shuffle=True)
    model.fit(batches, shuffle=False)
    ```
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(batch_size, bool) or int(batch_size) != batch_size:
            raise ValueError(
                "`batch_size` must be an integer. "
                f"Received: batch_size={batch_size}"
            )
        if batch_size < 1:
            raise ValueError(
                "`batch_size` must be positive. "
                f"Received: batch_size={batch_size}"
            )
        if not len(split):
            raise ValueError("`split` must have rows. Received: 0 rows")
        self.split = split
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self._epoch = 0
        self._order = self._draw_order()

    def __len__(self):
        return -(-len(self.split) // self.batch_size)

    def __getitem__(self, index):
        rows: slice | np.ndarray
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        if self._order is not None:
            rows = self._order[rows]
        inputs = {name: x[rows] for name, x in self.split.inputs.items()}
        return inputs, self.split.labels[rows, None].astype("float32")

    def on_epoch_end(self):
        self._epoch += 1
        self._order = self._draw_order()

    def _draw_order(self):
        if not self.shuffle:
            return None
        return np.random.default_rng([self.seed, self._epoch]).permutation(
            len(self.split)
        )
