"""Ends a run as a process that is killed does."""

import keras


class InterruptStep(keras.callbacks.Callback):
    """Ends the run after a number of steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


class InterruptEpoch(keras.callbacks.Callback):
    """Ends the run where an epoch begins, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt
