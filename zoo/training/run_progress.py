import time
from collections.abc import Callable
from typing import Any

import keras

from zoo.runtime.progress import time_left
from zoo.training.state import TrainingState

SECONDS_BETWEEN_LINES = 60


class RunProgress(keras.callbacks.ProgbarLogger):
    """Shows how far a run is, and the time that is left of all its epochs.

    Keras' progress bar, and its line at the end of an epoch, have the minutes
    left. Where there is no bar (`verbose=2`), a long epoch also has a line
    about every minute, at the end of a step. The estimate leaves out the first
    step, which compiles. Put it behind the callback that keeps `state` up to
    date.

    Args:
        state: `TrainingState` of the run.
        epochs: integer. The epochs of the whole run.
        steps_per_epoch: integer.
        rows_per_batch: integer. The rows of a step, of all devices.
        clock: function that returns seconds. Defaults to `time.monotonic`.
    """

    def __init__(
        self,
        state: TrainingState,
        epochs: int,
        steps_per_epoch: int,
        rows_per_batch: int,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self.state = state
        self.steps_per_epoch = steps_per_epoch
        self.steps = epochs * steps_per_epoch
        self.rows_per_batch = rows_per_batch
        self.clock = clock
        # Seconds and steps: after the first step, and at the last line.
        self._first: Any = None
        self._last: Any = None

    def on_train_batch_end(self, batch, logs=None):
        logs = logs or {}
        now = self.clock(), self._steps_done()
        self._first = self._first or now
        self._last = self._last or self._first
        if (
            self.verbose == 2
            and now[0] - self._last[0] >= SECONDS_BETWEEN_LINES
        ):
            self._print_line(now, logs)
        super().on_train_batch_end(batch, self._with_time_left(logs, now[1]))

    def on_epoch_end(self, epoch, logs=None):
        is_last = self.model.stop_training
        step = self.steps if is_last else self._steps_done()
        super().on_epoch_end(epoch, self._with_time_left(logs or {}, step))

    def _steps_done(self):
        return self.state.epoch * self.steps_per_epoch + self.state.step

    def _with_time_left(self, logs, step):
        # Nothing is known after the first step.
        if step == self._first[1]:
            return logs
        return {**logs, "minutes_left": self._seconds_left(step) / 60}

    def _seconds_left(self, step):
        seconds, first_step = self._first
        per_step = (self.clock() - seconds) / (step - first_step)
        return per_step * (self.steps - step)

    def _print_line(self, now, logs):
        seconds, steps = (a - b for a, b in zip(now, self._last, strict=True))
        self._last = now
        rows_per_second = steps * self.rows_per_batch / seconds
        print(
            f"step {now[1]:,} of {self.steps:,}, "
            f"loss {float(logs['loss']):.4f}, "
            f"{rows_per_second:,.0f} rows/s, "
            f"{time_left(self._seconds_left(now[1]))}",
            flush=True,
        )
