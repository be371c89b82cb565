"""What the recipe measures while a model trains."""

import time

import keras

from zoo.batches import ClickBatches
from zoo.metrics import exact_metrics
from zoo.split import Split


class TrainingClock(keras.callbacks.Callback):
    """Adds up the seconds spent in training epochs, without their validation.

    Put it first among the callbacks: what the others do at the end of an
    epoch is then not counted. The compilation of the first step is.
    """

    def __init__(self):
        super().__init__()
        self.seconds = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += time.perf_counter() - self._start


class ValidationMetrics(keras.callbacks.Callback):
    """Puts the exact AUC and log-loss of a split into every epoch's logs.

    Args:
        split: `Split` to predict after every epoch.
        batch_size: integer. Rows per prediction step. Defaults to `16_384`.
    """

    def __init__(self, split: Split, batch_size: int = 16_384):
        super().__init__()
        self.labels = split.labels
        self.batches = ClickBatches(split, batch_size)

    def on_epoch_end(self, epoch, logs=None):
        probabilities = self.model.predict(self.batches, verbose=0)
        metrics = exact_metrics(self.labels, probabilities)
        if logs is not None:
            logs["val_auc"] = metrics["auc"]
            logs["val_log_loss"] = metrics["log_loss"]
