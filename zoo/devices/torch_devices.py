"""Devices of PyTorch, one a process, by `torch.distributed`."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from zoo.data.batch_views import keras_batch
from zoo.data.click_batches import share_of
from zoo.data.split import Split
from zoo.devices.devices import PREDICTED_ROWS
from zoo.devices.devices import Devices
from zoo.devices.devices import join_predictions


class TorchDevices(Devices):
    """One device for each process of the group, which `torchrun` started."""

    def __init__(self) -> None:
        self.count = self.processes = distributed.get_world_size()
        self.process = distributed.get_rank()

    @contextlib.contextmanager
    def replicated(self, network: keras.Model) -> Iterator[None]:
        # Keras calls a model as a layer, and so would not call a wrapper of the
        # model. The wrapper takes the place of `call` instead, and averages the
        # gradients over the processes.
        parallel = DistributedDataParallel(_Call(network))
        vars(network)["call"] = parallel
        try:
            yield
        finally:
            del vars(network)["call"]

    def predict(self, network: keras.Model, split: Split) -> Any:
        first, last = share_of(0, len(split), self.process, self.processes)
        predicted = []
        for start in range(first, last, PREDICTED_ROWS):
            rows = split.read(start, min(start + PREDICTED_ROWS, last))
            inputs = keras_batch(rows, split.label_names)[0]
            predicted.append(network.predict_on_batch(inputs))
        parts = [part for parts in self.gather(predicted) for part in parts]
        return join_predictions(parts)

    def gather(self, value: Any) -> list[Any]:
        values: list[Any] = [None] * self.processes
        distributed.all_gather_object(values, value)
        return values

    def whole_sums(self, sums: Sequence[float]) -> list[float]:
        return np.sum(self.gather(list(sums)), axis=0).tolist()

    def own_sums(self, sums: Sequence[float]) -> list[float]:
        return [value / self.processes for value in sums]

    def _is_lost_connection(self, error: Exception) -> bool:
        return isinstance(error, distributed.DistError) or (
            isinstance(error, RuntimeError) and "peer" in str(error)
        )


class _Call(torch.nn.Module):
    """The `call` of a network as a module that has its weights."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network
        self.call = network.call

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)
