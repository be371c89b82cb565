"""Makes all processes of a run log the same, and end it together."""

import keras

from zoo.devices import Devices


class AgreeOnLogs(keras.callbacks.Callback):
    """Replaces the logs of an epoch by their means over the processes.

    A process has the loss of its own rows.

    Args:
        devices: `Devices` that train together.
    """

    def __init__(self, devices: Devices):
        super().__init__()
        self.devices = devices

    def on_epoch_end(self, epoch, logs=None):
        if logs:
            means = self.devices.mean([float(v) for v in logs.values()])
            logs.update(zip(logs, means, strict=True))


class AgreeOnStop(keras.callbacks.Callback):
    """Ends a run in all processes where a callback of one of them ends it.

    Several processes end with the epoch. If one ended within it, the others
    would wait for its next step. Put it behind the callbacks that may set
    `model.stop_training`.

    Args:
        devices: `Devices` that train together.
    """

    def __init__(self, devices: Devices):
        super().__init__()
        self.devices = devices
        self._is_asked = False

    def on_train_batch_end(self, batch, logs=None):
        if self.devices.processes > 1 and self.model.stop_training:
            self._is_asked, self.model.stop_training = True, False

    def on_epoch_end(self, epoch, logs=None):
        is_asked = self._is_asked or self.model.stop_training
        self._is_asked = False
        self.model.stop_training = any(self.devices.gather(is_asked))
