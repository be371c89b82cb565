import keras

from keras_cowclip.optimizer import CowClip


class ClippedShare(keras.callbacks.Callback):
    """Puts the share of clipped rows into the training logs.

    Every batch logs `CowClip.clipped_share` of that step, every epoch the mean
    over its batches, so `History`, `CSVLogger` and the progress bar show it.
    Reading the share waits for the step to finish; leave the callback out
    where every millisecond counts.

    Args:
        name: string. Key in the logs. Defaults to `"clipped_share"`.

    Raises:
        ValueError: at the start of training, if the model was not compiled
            with `CowClip`.

    Example:

    ```python
    model.fit(x, y, callbacks=[keras_cowclip.ClippedShare()])
    ```
    """

    def __init__(self, name="clipped_share"):
        super().__init__()
        self.name = name
        self.shares = []

    def on_train_begin(self, logs=None):
        self._optimizer()

    def on_epoch_begin(self, epoch, logs=None):
        self.shares = []

    def on_train_batch_end(self, batch, logs=None):
        share = self._optimizer().clipped_share
        self.shares.append(share)
        if logs is not None:
            logs[self.name] = share

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None and self.shares:
            logs[self.name] = sum(self.shares) / len(self.shares)

    def _optimizer(self):
        # On JAX, asking for `self.model` brings the step's state back to it.
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not isinstance(optimizer, CowClip):
            raise ValueError(
                "`ClippedShare` reads the share off the `CowClip` optimizer: "
                "compile the model with it. Received: "
                f"optimizer={type(optimizer).__name__}"
            )
        return optimizer
