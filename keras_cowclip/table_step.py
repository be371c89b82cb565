from typing import Any

import keras
from keras import ops

from keras_cowclip.clipping import at_least_float32
from keras_cowclip.flat_adam import can_flatten
from keras_cowclip.flat_adam import flat_adam_step
from keras_cowclip.frequency import frequency_factor
from keras_cowclip.fused_adam import can_fuse
from keras_cowclip.fused_adam import fused_adam_step
from keras_cowclip.lazy_adam import update_rows
from keras_cowclip.lazy_adam import update_table
from keras_cowclip.one_pass import in_one_pass
from keras_cowclip.replicas import trains_alone
from keras_cowclip.row_updates import densified
from keras_cowclip.row_updates import gradient_ids
from keras_cowclip.row_updates import one_elsewhere
from keras_cowclip.row_updates import row_gradient

Tensor = Any


class TableStep:
    """What `CowClip` does to one `CowClipEmbedding` table in a step.

    One algorithm, by whichever way costs least: on a gradient of the batch's
    rows alone if `lazy`, in place by PyTorch's kernel, or on the whole table.

    Args:
        optimizer: `CowClip`.
        index: integer, of the table among the optimizer's variables.
        counts_index: integer, of the table's `id_counts` among them.

    Attributes:
        table: the table, a `keras.Variable`.
        row_totals: variable, how many rows of the last batch were clipped,
            and how many it had; `None` for a table that is not clipped.
    """

    def __init__(self, optimizer: Any, index: int, counts_index: int) -> None:
        self.optimizer = optimizer
        self.index = index
        self.counts_index = counts_index
        self.table = optimizer._trainable_variables[index]
        self._id_counts = optimizer._trainable_variables[counts_index]
        self._mean_counts: Any = None
        if optimizer.frequency_scale != 1.0:
            self._mean_counts = optimizer.add_variable_from_reference(
                self._id_counts, "mean"
            )
        self.row_totals: Any = None
        if self.table.clip_rows:
            self.row_totals = optimizer.add_variable(
                shape=(2,), name=f"{self.table.name}_clipped_and_present"
            )

    def can_update_lazily(self) -> bool:
        """Whether nothing, Keras or a variant, needs the whole gradient."""
        return (
            self.optimizer.lazy
            and self.optimizer._clips_row_by_row()
            and keras.backend.standardize_dtype(self.table.dtype) == "float32"
            and self.table.constraint is None
            and trains_alone()
            and not self.optimizer.use_ema
            and not self.optimizer._keras_changes_gradients()
        )

    def update_lazily(self, gradient: Tensor, counts: Tensor) -> bool:
        """Moves the rows of a gradient that is no larger than the batch.

        Args:
            gradient: of the table, as the backend gives it, or `None`.
            counts: gradient of the table's `id_counts`, or `None`.

        Returns:
            Whether it is such a gradient; if not, nothing was done.
        """
        if gradient is None or counts is None or not self.can_update_lazily():
            return False
        rows = row_gradient(gradient, counts)
        if rows is None:
            return False
        factor = update_rows(
            self.optimizer, self.index, rows, self._clip_factor
        )
        self._record_clipped(factor, rows.counts)
        return True

    def update(self, gradient: Tensor, variable: Any) -> None:
        """Moves every row, or, if `lazy`, those that the batch has.

        Args:
            gradient: of the table, dense or TensorFlow's slices.
            variable: the table, as `update_step` has it: not the Keras
                variable on TensorFlow, but that of this replica.
        """
        if self._can_clip_in_place(variable):
            self._update_in_place(gradient, variable)
            return

        def step(gradient):
            self._update_table(gradient, variable)

        if self.optimizer._clips_row_by_row():
            iterations = self.optimizer._iterations.value
            step = in_one_pass(step, [variable, iterations])
        step(gradient)

    def _update_table(self, gradient, variable):
        """A step of a whole table, in the words of the algorithm."""
        counts, ids = self._read_counts(), gradient_ids(gradient)
        gradient = densified(gradient, variable.shape, may_pad=True)
        gradient = at_least_float32(gradient)
        if self.optimizer.lazy:
            factor = update_table(
                self.optimizer,
                self.index,
                gradient,
                counts,
                self._clip_factor,
                row_by_row=self.optimizer._clips_row_by_row(),
            )
            self._record_clipped(factor, counts)
            return
        table = at_least_float32(variable)
        total = gradient + 2.0 * self.optimizer.embedding_l2 * table
        if self.row_totals is not None:
            if (
                self.optimizer.clip_ratio not in (None, float("inf"))
                and self._clips_rows_with_gradients_alone()
            ):
                factor = one_elsewhere(
                    self._clip_factor, ids, gradient, table, counts
                )
            else:
                factor = self.optimizer._row_factor(total, table, counts)
            self._record_clipped(factor, counts)
            total = total * ops.expand_dims(factor, axis=-1)
        rate = self._rate()
        if self._mean_counts is not None:
            rate = rate * self._frequency_factor(counts)
        self._adam_step(total, variable, rate)

    def _adam_step(self, gradient, variable, rate):
        if can_flatten(gradient, variable, rate):
            flat_adam_step(self.optimizer, gradient, variable, rate)
        else:
            self.optimizer._adam_step(gradient, variable, rate)

    def _can_clip_in_place(self, variable):
        """Whether the l2 can be left to the kernel of `fused_adam`."""
        return (
            not self.optimizer.lazy
            and self._mean_counts is None
            and self._clips_rows_with_gradients_alone()
            and can_fuse(variable, self._rate())
        )

    def _update_in_place(self, gradient, variable):
        gradient = densified(gradient, variable.shape)
        if self.row_totals is not None:
            self._clip_present_rows(gradient, variable)
        fused_adam_step(
            self.optimizer,
            gradient,
            variable,
            self._rate(),
            self.optimizer.embedding_l2,
        )

    def _clip_present_rows(self, gradient, variable):
        """Clips in place, so that the l2 can be added to all rows later."""
        table, counts = at_least_float32(variable), self._read_counts()
        # The batch's, and those of a regularizer or another use of the table.
        rows = gradient.norm(dim=-1)
        rows = ((counts > 0) | (rows > 0)).nonzero()[:, 0]
        table, counts = table[rows], counts[rows]
        decay = 2.0 * self.optimizer.embedding_l2 * table
        total = gradient[rows] + decay
        factor = self.optimizer._row_factor(total, table, counts)
        self._record_clipped(factor, counts)
        gradient[rows] = total * factor[:, None] - decay

    def _clips_rows_with_gradients_alone(self):
        """Whether the clip can leave out all other rows.

        The l2 is all there is to them, and the ratio never clips that if it is
        at least twice `embedding_l2`.
        """
        ratio = self.optimizer.clip_ratio
        return self.optimizer._clips_row_by_row() and (
            ratio is None or 2.0 * self.optimizer.embedding_l2 <= ratio
        )

    def _clip_factor(self, gradient, table, counts):
        """Returns the clip of some rows, given their gradient without l2."""
        if self.row_totals is None:
            return ops.ones_like(counts)
        total = gradient + 2.0 * self.optimizer.embedding_l2 * table
        return self.optimizer._row_factor(total, table, counts)

    def _frequency_factor(self, counts):
        mean = self._mean_counts
        updates = ops.cast(self.optimizer.iterations + 1, mean.dtype)
        self.optimizer.assign_add(mean, (counts - mean) / updates)
        factor = frequency_factor(
            ops.convert_to_tensor(mean), self.optimizer.frequency_scale
        )
        return ops.expand_dims(factor, axis=-1)

    def _rate(self):
        return ops.convert_to_tensor(self.optimizer.embedding_learning_rate)

    def _read_counts(self):
        return ops.convert_to_tensor(self._id_counts)

    def _record_clipped(self, factor, counts):
        if self.row_totals is None:
            return
        present = counts > 0
        clipped = ops.logical_and(factor < 1.0, present)
        self.optimizer.assign(
            self.row_totals,
            ops.stack(
                [
                    ops.sum(ops.cast(rows, "float32"))
                    for rows in (clipped, present)
                ]
            ),
        )
