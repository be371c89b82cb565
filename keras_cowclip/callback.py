import keras

from keras_cowclip.optimizer import CowClip


class ClippedShare(keras.callbacks.Callback):
    """Adds the share of clipped rows to the training logs.

    Every batch logs `CowClip.clipped_share` of its step, and every epoch the
    mean over its batches. `History`, `CSVLogger` and the progress bar show it.
    A `CowClip` within a `LossScaleOptimizer` or `MultiOptimizer` is found too.
    The callback waits for each step to finish: leave it out if every
    millisecond counts.

    Args:
        name: string. Key in the logs. Defaults to `"clipped_share"`.

    Raises:
        ValueError: at the start of training, if the model was not compiled
            with `CowClip`.

    Example:

    ```python
    ids = keras.Input((2,), dtype="int32")
    embeddings = keras_cowclip.CowClipEmbedding(1000, 10)(ids)
    flat = keras.layers.Flatten()(embeddings)
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
    model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
    x = np.random.default_rng(0).integers(0, 1000, (4096, 2))
    y = (x[:, :1] % 2).astype("float32")
    model.fit(x, y, callbacks=[keras_cowclip.ClippedShare()])
    ```
    """

    def __init__(self, name="clipped_share"):
        super().__init__()
        self.name = name
        self.shares = []

    def on_train_begin(self, logs=None):
        self._clipped_share()

    def on_epoch_begin(self, epoch, logs=None):
        self.shares = []

    def on_train_batch_end(self, batch, logs=None):
        share = self._clipped_share()
        self.shares.append(share)
        if logs is not None:
            logs[self.name] = share

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None and self.shares:
            logs[self.name] = sum(self.shares) / len(self.shares)

    def _clipped_share(self):
        # On JAX, reading `self.model` writes the step's state back to it.
        optimizer = self.model.optimizer
        found = _cowclips(optimizer)
        if not found:
            raise ValueError(
                "`ClippedShare` reads the share off the `CowClip` optimizer: "
                "compile the model with it. Received: "
                f"optimizer={type(optimizer).__name__}"
            )
        totals = [cowclip._clipped_and_present() for cowclip in found]
        clipped, present = map(sum, zip(*totals, strict=True))
        return clipped / present if present else 0.0


def _cowclips(optimizer):
    """Returns every `CowClip` that an optimizer is or contains."""
    if isinstance(optimizer, CowClip):
        return [optimizer]
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return _cowclips(optimizer.inner_optimizer)
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        return [found for o in optimizer.optimizers for found in _cowclips(o)]
    return []
