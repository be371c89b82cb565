"""Describes the devices of a training run, which exchange values."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.data.batch_views import keras_batch
from zoo.data.click_batches import ClickBatches
from zoo.data.split import Split

PREDICTED_ROWS = 16_384


class ProcessLostError(ConnectionError):
    """Another process of a run is gone, and this one can't go on alone."""


class Devices:
    """One device of one process, or as a subclass several.

    Each process has the same weights and calls the same methods in the same
    order; those that exchange something wait for all processes. Only the first
    process writes files. `zoo.start_devices` makes one.

    Attributes:
        count: integer. The devices of all processes.
        processes: integer.
        process: integer from 0, the number of this process.

    Example:

    >>> devices = zoo.devices.Devices()
    >>> devices.count, devices.is_first, devices.gather("here")
    (1, True, ['here'])
    """

    count = 1
    processes = 1
    process = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.process == 0

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the scope in which a network is made, trained and measured.

        Example:

        ```python
        with zoo.devices.Devices().scope():
            model = zoo.DeepFM(zoo.FeatureSchema(["price"], {"site": 1000}))
        ```
        """
        return contextlib.nullcontext()

    def writing(self) -> contextlib.AbstractContextManager:
        """Returns the scope in which the first process writes by itself."""
        return contextlib.nullcontext()

    def replicated(
        self, network: keras.Model
    ) -> contextlib.AbstractContextManager:
        """Returns the context in which `fit` trains on all devices.

        Args:
            network: `keras.Model`, made and compiled within `scope`.
        """
        return contextlib.nullcontext()

    def training_input(self, batches: ClickBatches) -> Any:
        """Returns what `fit` reads of this process' batches.

        Args:
            batches: `ClickBatches`, at the place to begin from.
        """
        return batches.to_keras()

    @contextlib.contextmanager
    def noticing_loss(self) -> Iterator[None]:
        """Explains an error in the block that a lost process causes.

        Raises:
            ProcessLostError: instead of the backend's error.
        """
        try:
            yield
        except Exception as error:
            if self.processes == 1 or not self._is_lost_connection(error):
                raise
            raise ProcessLostError(
                "Another process of this run has ended, and the others can't "
                "go on without it: see what it said, and start all of them "
                f"again with `resume=True` (`--resume`). Received: {error}"
            ) from error

    def _is_lost_connection(self, error: Exception) -> bool:
        """Whether the backend's error comes from a lost connection."""
        return False

    def predict(self, network: keras.Model, split: Split) -> Any:
        """Returns the predictions of all rows, in all processes.

        Args:
            network: a model of the zoo.
            split: `Split` of the model's schema.

        Returns:
            `(rows, 1)` float32, or of several labels a dict of these.
        """
        batches = ClickBatches(split, PREDICTED_ROWS)
        return network.predict(batches.to_keras(), verbose=0)

    def gather(self, value: Any) -> list[Any]:
        """Returns the values of all processes, in their order.

        Args:
            value: what `pickle` can write.
        """
        return [value]

    def mean(self, values: Sequence[float]) -> list[float]:
        """Returns the means over all processes of each value.

        Args:
            values: floats, as many in each process.
        """
        return np.mean(self.gather(list(values)), axis=0).tolist()

    def whole_sums(self, sums: Sequence[float]) -> list[float]:
        """Returns the sums over whole batches.

        Args:
            sums: floats, those over this process' shares: the variables of
                Keras' means.
        """
        return list(sums)

    def own_sums(self, sums: Sequence[float]) -> list[float]:
        """Returns the sums of each process that make `whole_sums` `sums`."""
        return list(sums)

    @contextlib.contextmanager
    def failing_together(self) -> Iterator[None]:
        """Raises behind the block in all processes if one failed in it.

        Otherwise the other processes would wait for the one that failed.
        Nothing in the block may wait for another process.

        Raises:
            ValueError: in the processes that did not fail.

        Example:

        ```python
        with zoo.devices.Devices().failing_together():
            log = zoo.EncodedLog.load("encoded/criteo")
        ```
        """
        failed = None
        try:
            yield
        except Exception as error:
            failed = error
        messages = self.gather(None if failed is None else str(failed))
        if failed is not None:
            raise failed
        for process, message in enumerate(messages):
            if message is not None:
                raise ValueError(
                    f"Process {process} of {self.processes} could not go on: "
                    f"{message}"
                )

    def check_same(self, values: dict[str, Any]) -> None:
        """Raises if the processes have different values.

        Args:
            values: dict that names each value.

        Raises:
            ValueError: with the first value that differs.
        """
        for process, others in enumerate(self.gather(values)):
            for name in {**values, **others}:
                ours, theirs = values.get(name), others.get(name)
                if ours != theirs:
                    raise ValueError(
                        "All processes must train the same: process "
                        f"{self.process} and process {process} differ. "
                        f"Received: {name}={ours} and {theirs}"
                    )

    def check_batches(self, batches: ClickBatches) -> None:
        """Raises if the devices can't have equal shares of each batch.

        Args:
            batches: `ClickBatches` to train on.

        Raises:
            ValueError: with the rows of a batch.
        """
        rows = batches.rows_per_batch or batches.batch_size
        if rows % self.count:
            raise ValueError(
                "The rows of a batch must be a multiple of the devices, which "
                "train equal shares of it: choose another batch size, or "
                f"number of devices. Received: {rows} rows of each batch, "
                f"{self.count} devices"
            )


ONE_DEVICE = Devices()


def join_predictions(predicted: Sequence[Any]) -> Any:
    """Returns the predictions of several batches as those of one.

    Args:
        predicted: arrays, or of several labels dicts of arrays.
    """
    return keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays), *predicted
    )


def padded_batches(
    split: Split, rows: int, process: int, processes: int
) -> Iterator[tuple[dict[str, np.ndarray], int]]:
    """Yields the inputs of one process' share of each batch.

    All batches have the same number of rows, so that a compiled network fits:
    the last one is padded with zeros.

    Args:
        split: `Split`.
        rows: integer, a multiple of `processes`. Rows of a whole batch.
        process: integer from 0, the number of the process.
        processes: integer.

    Yields:
        Inputs of `rows / processes` rows, and the number of rows in the shares
        of all processes that are not padding.
    """
    share = rows // processes
    for start in range(0, len(split), rows):
        first = min(start + process * share, len(split))
        last = min(first + share, len(split))
        inputs = keras_batch(split.read(first, last), split.label_names)[0]
        missing = share - (last - first)
        if missing:
            inputs = {
                name: np.pad(array, ((0, missing), (0, 0)))
                for name, array in inputs.items()
            }
        yield inputs, min(rows, len(split) - start)
