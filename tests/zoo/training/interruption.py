"""Disturbs a run at a step or an epoch; ends it as a killed process does."""

import keras


class AfterSteps(keras.callbacks.Callback):
    """Calls `act` once, after a number of steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.act()

    def act(self):
        raise NotImplementedError


class InterruptStep(AfterSteps):
    """Ends the run after a number of steps."""

    def act(self):
        raise KeyboardInterrupt


class InterruptEpoch(keras.callbacks.Callback):
    """Ends the run where an epoch begins, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt
