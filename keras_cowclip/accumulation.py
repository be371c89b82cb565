"""Lets a table take one step for several steps of the dense weights."""

from typing import Any

import keras
from keras import ops

from keras_cowclip import backend
from keras_cowclip.table import TableUpdate
from keras_cowclip.weights import copy_saved_rows

Tensor = Any


class Accumulator:
    """Adds up a table's gradients and counts, and lets it step by their sums.

    Between two steps of the table the cost of a batch does not depend on the
    table's size. `backend.add_gradient` says why this is so on JAX, where a
    gradient is as large as its table.

    Args:
        update: `TableUpdate`.
    """

    def __init__(self, update: TableUpdate) -> None:
        self.update = update
        self._optimizer = update.optimizer
        self._gradient, self._counts = map(
            self._add_sum, (update.table, update.tag.id_counts)
        )
        self._batches = self._optimizer.add_variable(
            shape=(), name=f"{update.table.name}_batches"
        )

    def add(self, gradient: Tensor, counts: Tensor | None) -> None:
        """Adds a batch to the sums.

        Args:
            gradient: of the table, as the backend gives it.
            counts: gradient of the table's `id_counts`; `None` where the
                table was used without a lookup.
        """
        backend.add_gradient(
            self._gradient,
            self._counts,
            gradient,
            counts,
            is_first=ops.equal(self._batches.value, 0.0),
            padded=self.update.tag.padded,
        )
        self._batches.assign_add(1.0)

    def step_if_due(self) -> None:
        """Updates the table in every k-th step, by what has been added."""
        optimizer = self._optimizer
        steps = optimizer.embedding_accumulation_steps
        is_last = ops.equal((optimizer.dense_iterations + 1) % steps, 0)
        table = self.update.table
        backend.run_if(
            ops.logical_and(is_last, self._batches.value > 0.0),
            self._step,
            [table, *self.update.state(), self._batches],
            optimizer.variables,
        )

    def clear_if_used(self) -> None:
        """Clears sums that a step has used; files saved on JAX have such sums.

        JAX overwrites them in the next batch. Other backends clear them in the
        step that uses them.
        """
        if float(ops.convert_to_numpy(self._batches)) == 0.0:
            backend.clear_sums(self._gradient, self._counts)

    def _add_sum(self, variable):
        # In 16 bits the sum of a popular id would lose most of its terms.
        added = self._optimizer.add_variable(
            shape=variable.shape,
            dtype=keras.backend.result_type(variable.dtype, "float32"),
            name=f"{variable.path.replace('/', '_')}_sum",
            layout=getattr(variable, "_layout", None),
        )
        return copy_saved_rows(added, variable)

    def _step(self):
        optimizer = self._optimizer
        batches = optimizer.embedding_accumulation_steps
        share = 1.0 / (batches * (optimizer.loss_scale_factor or 1.0))
        self._batches.assign(0.0)
        rows = None
        if self.update.can_update_sparsely():
            rows = backend.summed_rows(self._gradient, self._counts)
        if rows is not None:
            self.update.update_rows(rows._replace(values=share * rows.values))
            for variable, summed in zip(
                (self._gradient, self._counts),
                (rows.values, rows.counts),
                strict=True,
            ):
                backend.write_rows(variable, rows.ids, ops.zeros_like(summed))
            return
        table = self.update.table
        self.update.update(share * self._gradient.value, self._counts, table)
        if table.constraint is not None:
            table.assign(table.constraint(table))
        backend.clear_sums(self._gradient, self._counts)


def check_accumulation(optimizer: Any) -> None:
    """Raises for settings that change the gradient of each single batch."""
    for name in (
        "gradient_accumulation_steps",
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
    ):
        value = getattr(optimizer, name)
        if value:
            raise ValueError(
                f"`embedding_accumulation_steps` does not support `{name}`, "
                "which would change each batch's gradient before the sum. "
                "Received: embedding_accumulation_steps="
                f"{optimizer.embedding_accumulation_steps}, {name}={value}"
            )
