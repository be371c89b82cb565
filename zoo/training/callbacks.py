"""Times and saves a model while it trains."""

import time
from dataclasses import replace

import keras
import numpy as np

from keras_cowclip import ClippedShare
from zoo.devices import Devices
from zoo.training.checkpoints import Checkpoints
from zoo.training.random_state import read_random_state
from zoo.training.random_state import set_random_state
from zoo.training.state import TrainingState

# Means of the clipped share that are kept of an epoch, for figures.
CURVE_POINTS = 20


class TrainingClock(keras.callbacks.Callback):
    """Adds up the seconds spent in training epochs, without their validation.

    Put it first among the callbacks. Then it does not count what the others do
    at the end of an epoch. It counts the compilation of the first step.

    Args:
        state: `TrainingState` whose `seconds` are to be kept up to date.
    """

    def __init__(self, state: TrainingState):
        super().__init__()
        self.state = state

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self.state.seconds += now - self._start
        self._start = now

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_batch_end(0)


class SaveCheckpoints(keras.callbacks.Callback):
    """Keeps a run's `TrainingState`, and saves it with the weights.

    An epoch that was resumed in the middle ends with the logs of the whole
    epoch. Put it behind the callbacks that log or change something, so that it
    saves what they did, and sees whether one of them ends the run.

    Args:
        checkpoints: `Checkpoints` to save to.
        state: `TrainingState` to keep up to date.
        clipped_share: the `ClippedShare` of the same `fit`.
        steps_per_epoch: integer. Steps of a whole epoch.
        every: integer, steps from one checkpoint to the next, or `None` for
            one at the end of each epoch.
        devices: `Devices` that train together.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        state: TrainingState,
        clipped_share: ClippedShare,
        steps_per_epoch: int,
        every: int | None,
        devices: Devices,
    ):
        super().__init__()
        self.devices = devices
        self.checkpoints = checkpoints
        self.state = state
        self.clipped_share = clipped_share
        self.steps_per_epoch = steps_per_epoch
        self.every = every or steps_per_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self.state.step
        if not self._first_step:
            self._restore_random_state()
        else:
            # `fit` has just reset them.
            sums = self.devices.own_sums(self.state.metrics)
            for variable, value in zip(
                self.model.metrics_variables, sums, strict=True
            ):
                variable.assign(value)
            self.clipped_share.shares = list(self.state.clipped_shares)

    def on_train_batch_begin(self, batch, logs=None):
        # Not before: on PyTorch a `DataLoader` draws a number as it starts.
        self._restore_random_state()

    def on_train_batch_end(self, batch, logs=None):
        self.state.step = self._first_step + batch + 1
        # The last step's checkpoint waits for the validation.
        if self.state.step < self.steps_per_epoch and self._is_due():
            self.state.metrics = self.devices.whole_sums(
                [
                    float(variable.numpy())
                    for variable in self.model.metrics_variables
                ]
            )
            self.state.clipped_shares = list(self.clipped_share.shares)
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self.state.history.setdefault(name, []).append(float(value))
        shares = self.clipped_share.shares
        parts = np.array_split(shares, min(CURVE_POINTS, len(shares)))
        self.state.clipped_curve += [float(part.mean()) for part in parts]
        is_stopped = self.model.stop_training
        is_due = self._is_due() or is_stopped
        if is_stopped:
            steps = self._steps_done()
            self.state.stopped_at = list(divmod(steps, self.steps_per_epoch))
        self.state.epoch, self.state.step = epoch + 1, 0
        self.state.metrics, self.state.clipped_shares = [], []
        if is_due:
            self._save()

    def _steps_done(self):
        return self.state.epoch * self.steps_per_epoch + self.state.step

    def _is_due(self):
        return self._steps_done() % self.every == 0

    def _restore_random_state(self):
        if self.state.random_state:
            set_random_state(self.model, self.state.random_state)
            self.state.random_state = {}

    def _save(self):
        # On JAX, asking for `self.model` brings the step's state back to it.
        model = self.model
        state = replace(self.state, random_state=read_random_state(model))
        self.checkpoints.save(model, state, self._steps_done())
