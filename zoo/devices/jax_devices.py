"""Devices of JAX, by `keras.distribution` and `jax.distributed`."""

import contextlib
import pickle
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from zoo.data.split import Split
from zoo.devices.devices import PREDICTED_ROWS
from zoo.devices.devices import Devices
from zoo.devices.devices import join_predictions
from zoo.devices.devices import padded_batches


class JaxDevices(Devices):
    """Devices that each have a share of a batch, and all weights.

    Args:
        names: list of strings, as `keras.distribution.list_devices` has them.
        shard_tables: boolean. Whether a device has a share of each table's
            rows instead of all. Defaults to `False`.
    """

    def __init__(self, names: list[str], shard_tables: bool = False) -> None:
        self.count = len(names)
        self.processes = jax.process_count()
        self.process = jax.process_index()
        mesh = keras.distribution.DeviceMesh((self.count,), ["batch"], names)
        # Each process reads its own share of the rows.
        self.distribution = (
            _SharedTables(mesh)
            if shard_tables
            else keras.distribution.DataParallel(mesh, auto_shard_dataset=False)
        )
        self._replicated = jax.sharding.NamedSharding(
            mesh.backend_mesh, jax.sharding.PartitionSpec()
        )
        self._predicted: keras.Model | None = None

    def scope(self) -> contextlib.AbstractContextManager:
        return self.distribution.scope()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        # To know what not to save, Keras makes an optimizer. Within the scope
        # its variables would have to be the same in all processes.
        current = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(current)

    def predict(self, network: keras.Model, split: Split) -> Any:
        """As `Devices.predict`; Keras' own wants rows that devices divide."""
        rows = -(-PREDICTED_ROWS // self.count) * self.count
        call = self._compiled_call(network)
        weights = (
            [variable.value for variable in network.trainable_variables],
            [variable.value for variable in network.non_trainable_variables],
        )
        predicted = []
        for inputs, present in padded_batches(
            split, rows, self.process, self.processes
        ):
            batch = {
                name: self._shared(array) for name, array in inputs.items()
            }
            outputs, _ = call(*weights, batch)
            whole = keras.tree.map_structure(np.asarray, outputs)
            not_padding = itemgetter(slice(present))
            predicted.append(keras.tree.map_structure(not_padding, whole))
        return join_predictions(predicted)

    def gather(self, value: Any) -> list[Any]:
        if self.processes == 1:
            return [value]
        content = np.frombuffer(pickle.dumps(value), "uint8")
        lengths = multihost_utils.process_allgather(np.array(len(content)))
        padded = np.pad(content, (0, int(lengths.max()) - len(content)))
        contents = multihost_utils.process_allgather(padded)
        return [
            pickle.loads(bytes(content[:length]))
            for content, length in zip(contents, lengths, strict=True)
        ]

    def _compiled_call(self, network: keras.Model) -> Any:
        # A run measures one network many times.
        if network is not self._predicted:
            self._predicted = network
            self._call = jax.jit(
                partial(network.stateless_call, training=False),
                out_shardings=self._replicated,
            )
        return self._call

    def _is_lost_connection(self, error: Exception) -> bool:
        return isinstance(error, jax.errors.JaxRuntimeError) and any(
            word in str(error) for word in ("Gloo", "NCCL", "UNAVAILABLE")
        )

    def _shared(self, rows: np.ndarray) -> jax.Array:
        """Makes one array of all processes' rows."""
        layout = self.distribution.get_data_layout(rows.shape)
        return jax.make_array_from_process_local_data(
            layout.backend_layout, rows
        )


class _SharedTables(keras.distribution.ModelParallel):
    """Devices that have a share of the batch, and of each table's rows."""

    def __init__(self, mesh: keras.distribution.DeviceMesh) -> None:
        layouts = keras.distribution.LayoutMap(mesh)
        layouts[".*/embeddings"] = ("batch", None)
        layouts[".*/id_counts"] = ("batch",)
        super().__init__(
            layout_map=layouts, batch_dim_name="batch", auto_shard_dataset=False
        )
        self._whole = keras.distribution.DataParallel(
            mesh, auto_shard_dataset=False
        )

    def get_variable_layout(self, variable: keras.Variable) -> Any:
        # Keras' own `Embedding`, as of places in a sequence, is not padded to
        # a multiple of the devices.
        if variable.shape and variable.shape[0] % self.device_mesh.shape[0]:
            return self._whole.get_variable_layout(variable)
        return super().get_variable_layout(variable)
