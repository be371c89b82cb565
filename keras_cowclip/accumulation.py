"""Lets a table take one step for several steps of the dense weights."""

from typing import Any

from keras import ops

from keras_cowclip import backend
from keras_cowclip.table import TableUpdate

Tensor = Any


class Accumulator:
    """Adds up a table's gradients and counts, and lets it step by their sums.

    Between two steps of the table, TensorFlow and PyTorch touch only the rows
    of the batch. On JAX, where a gradient is as large as its table, each batch
    costs one addition over it.

    Args:
        update: `TableUpdate`.
    """

    def __init__(self, update: TableUpdate) -> None:
        self.update = update
        self._optimizer = update.optimizer
        self._gradient, self._counts = (
            self._optimizer.add_variable_from_reference(variable, "sum")
            for variable in (update.table, update.tag.id_counts)
        )

    def add(self, gradient: Tensor, counts: Tensor | None) -> None:
        """Adds a batch, and updates the table if it is the last to be added.

        Args:
            gradient: of the table, as the backend gives it.
            counts: gradient of the table's `id_counts`; `None` where the
                table was used without a lookup.
        """
        optimizer = self._optimizer
        steps = optimizer.embedding_accumulation_steps
        share = 1.0 / (steps * (optimizer.loss_scale_factor or 1.0))
        position = optimizer.dense_iterations % steps
        backend.add_gradient(
            self._gradient,
            self._counts,
            gradient,
            counts,
            share,
            is_first=ops.equal(position, 0),
        )
        table = self.update.table
        backend.run_if(
            ops.equal(position, steps - 1),
            self._step,
            [table, *self.update.state()],
            optimizer.variables,
        )

    def _step(self):
        rows = None
        if self.update.can_update_sparsely():
            rows = backend.summed_rows(self._gradient, self._counts)
        if rows is not None:
            self.update.update_rows(rows)
            for variable, summed in zip(
                (self._gradient, self._counts),
                (rows.values, rows.counts),
                strict=True,
            ):
                backend.write_rows(variable, rows.ids, ops.zeros_like(summed))
            return
        table = self.update.table
        self.update.update(self._gradient.value, self._counts, table)
        if table.constraint is not None:
            table.assign(table.constraint(table))
        backend.clear_sums(self._gradient, self._counts)


def refuse_with_accumulation(optimizer: Any) -> None:
    """Raises for settings that would see the gradient of one batch alone."""
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
                "which would change the gradient of each batch before they "
                "are summed. Received: embedding_accumulation_steps="
                f"{optimizer.embedding_accumulation_steps}, {name}={value}"
            )
