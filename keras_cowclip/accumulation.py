"""Lets a table take one step for several steps of the dense weights."""

from typing import Any

import keras
from keras import ops

from keras_cowclip import backend
from keras_cowclip.table import TableUpdate
from keras_cowclip.weights import like_in_saved_rows

Tensor = Any


class Accumulator:
    """Adds up a table's gradients and counts, and lets it step by their sums.

    Between two steps of the table a batch costs what its own rows cost: on JAX
    too, where a gradient is as large as its table, see `backend.add_gradient`.

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

    def forget_if_used(self) -> None:
        """Clears sums that a step has used, as a file from JAX may have them.

        There a batch begins them anew, elsewhere they are cleared at once.
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
        return like_in_saved_rows(added, variable)

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
