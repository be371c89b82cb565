"""Devices of TensorFlow in one process, by `tf.distribute`."""

import contextlib
from typing import Any

import tensorflow as tf

from zoo.data.batch_views import keras_input
from zoo.data.click_batches import ClickBatches
from zoo.devices.devices import Devices


class TensorFlowDevices(Devices):
    """Devices that each have a share of a batch, and all weights.

    Args:
        names: list of strings, such as `["GPU:0", "GPU:1"]`.
    """

    def __init__(self, names: list[str]) -> None:
        self.count = len(names)
        self.strategy = tf.distribute.MirroredStrategy(names)

    def scope(self) -> contextlib.AbstractContextManager:
        return self.strategy.scope()

    def training_input(self, batches: ClickBatches) -> Any:
        return keras_input(batches, is_looked_at=True)
