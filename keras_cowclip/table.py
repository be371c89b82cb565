"""Updates one `CowClipEmbedding` table in a step of `CowClip`."""

import warnings
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from keras_cowclip import backend
from keras_cowclip.backend import reference
from keras_cowclip.clipping import adaptive_column_factor
from keras_cowclip.clipping import at_least_float32
from keras_cowclip.frequency import frequency_factor
from keras_cowclip.lazy_adam import step_lazily
from keras_cowclip.table_settings import TableSettings

Tensor = Any


@dataclass(eq=False)
class TableTag:
    """Marks a table's variable for `CowClip`, as `variable.cowclip`.

    The optimizer never sees the layer. It reads the tag in `build`, because
    `update_step` gets a bare `tf.Variable` without it on TensorFlow.

    Attributes:
        id_counts: `(input_dim,)` variable, how often the batch has each id.
        clip: boolean, whether the table is clipped.
        sparse_gradients: boolean, whether a backward pass on PyTorch gives
            sparse gradients. `CowClip` sets it before its own backward pass
            and resets it afterwards: no other optimizer can use them.
        padded: boolean, whether a sparse gradient on TensorFlow lists rows
            that were looked up for padding alone. A masked lookup sets it.
    """

    id_counts: keras.Variable
    clip: bool
    sparse_gradients: bool = False
    padded: bool = False


class TableUpdate:
    """Updates one table and its moments.

    If `lazy`, a sparse gradient updates its own rows alone. Any other gradient
    is applied in a pass over the whole table.

    Args:
        optimizer: `TableSettings`.
        index: integer, of the table among the optimizer's variables.
        counts_index: integer, of the table's `id_counts` among them.
        table: the table, a variable with a `TableTag`.

    Attributes:
        table: the table.
        tag: its `TableTag`.
        last_step: `(input_dim,)` variable, the step that last updated each
            row; `None` unless `lazy`.
        row_totals: `(2,)` variable, the rows of the last batch that were
            clipped, and all of its rows; `None` for a table without clip.
    """

    def __init__(
        self,
        optimizer: TableSettings,
        index: int,
        counts_index: int,
        table: keras.Variable,
    ) -> None:
        self.optimizer = optimizer
        self.index = index
        self.counts_index = counts_index
        self.tag: TableTag = table.cowclip
        self.last_step: Any = None
        self.row_totals: Any = None
        self.table = table
        self._mean_counts: Any = None

    def add_last_step(self) -> None:
        """Creates `last_step`.

        float32 is exact to 2**24. TensorFlow would place an int32 on the host.
        """
        self.last_step = self.optimizer.add_variable_from_reference(
            self.tag.id_counts, "last_step"
        )

    def add_totals(self) -> None:
        """Creates the variables that are neither moment nor `last_step`."""
        if self.optimizer.frequency_scale != 1.0:
            self._mean_counts = self.optimizer.add_variable_from_reference(
                self.tag.id_counts, "mean"
            )
        if self.tag.clip:
            self.row_totals = self.optimizer.add_variable(
                shape=(2,), name=f"{self.table.name}_clipped_and_present"
            )

    def state(self) -> list[keras.Variable]:
        """Returns the optimizer's variables that an update may write."""
        slots = ["_momentums", "_velocities"]
        if self.optimizer.amsgrad:
            slots.append("_velocity_hats")
        moments = [getattr(self.optimizer, slot)[self.index] for slot in slots]
        others = [self.last_step, self.row_totals, self._mean_counts]
        return [v for v in (*moments, *others) if v is not None]

    def warn_of_regularizer(self) -> None:
        """Warns if the loss has an l2 as well."""
        if self.table.regularizer is None or not self.optimizer.embedding_l2:
            return
        warnings.warn(
            f"{self.table.path} has an `embeddings_regularizer`, and "
            "`CowClip` adds `embedding_l2` to it: leave the regularizer unset, "
            "or pass `CowClip(embedding_l2=0.0)`. Received: "
            "embeddings_regularizer="
            f"{self.table.regularizer}, "
            f"embedding_l2={self.optimizer.embedding_l2}",
            stacklevel=2,
        )

    def can_update_sparsely(self) -> bool:
        """Whether nothing, Keras or a custom clip, needs a dense gradient."""
        return (
            self.optimizer.lazy
            and self._clips_row_by_row()
            and self._is_float32()
            and self.table.constraint is None
            and backend.is_alone()
            and not self.optimizer.use_ema
            and not self.optimizer._keras_changes_gradients()
        )

    def takes_sparse_gradients(self) -> bool:
        """Whether a sparse gradient saves time: for its rows, or for a sum."""
        return self.can_update_sparsely() or (
            self.optimizer.embedding_accumulation_steps > 1
            and self._is_float32()
            and backend.is_alone()
        )

    def update_sparsely(self, gradient: Tensor, counts: Tensor) -> bool:
        """Updates the rows of a sparse gradient alone, if it can.

        Args:
            gradient: of the table, as the backend gives it, or `None`.
            counts: gradient of the table's `id_counts`, or `None`.

        Returns:
            Whether it did.
        """
        if gradient is None or counts is None or not self.can_update_sparsely():
            return False
        rows = backend.row_gradient(gradient, counts, self.tag.padded)
        if rows is None:
            return False
        self.update_rows(rows)
        return True

    def update_rows(self, rows: backend.RowGradient) -> None:
        """Updates some rows lazily, and leaves all others as they are."""
        variables = self._lazy_variables()
        table, velocity, last_step = (
            backend.read_rows(variable, rows.ids) for variable in variables
        )
        factor, *moved = step_lazily(
            self.optimizer,
            self._factor,
            table,
            velocity,
            last_step,
            rows.values,
            rows.counts,
        )
        before = (table, velocity, last_step)
        for variable, old, new in zip(variables, before, moved, strict=True):
            if self.tag.padded:
                present = rows.counts > 0
                if len(old.shape) > 1:
                    present = ops.expand_dims(present, axis=-1)
                new = ops.where(present, new, old)
            backend.write_rows(variable, rows.ids, new)
        self._record_clipped(factor, rows.counts)

    def update(self, gradient: Tensor, id_counts: Any, variable: Any) -> None:
        """Updates every row, or, if `lazy`, the active rows.

        Args:
            gradient: of the table, dense or `tf.IndexedSlices`.
            id_counts: `(input_dim,)` variable, how often the batch has each
                id.
            variable: the table, as `update_step` gets it: on TensorFlow the
                bare `tf.Variable` of this replica.
        """

        def step(gradient):
            counts = ops.convert_to_tensor(id_counts)
            if self.optimizer.lazy:
                gradient = self._dense_gradient(gradient, variable)
                self._update_lazily(gradient, counts)
            else:
                self._update_all(gradient, counts, variable)

        if self._clips_row_by_row():
            # XLA may not be able to compile a custom clip.
            iterations = self.optimizer._iterations
            step = backend.compiled(step, [variable, iterations])
        step(gradient)

    def _update_all(self, gradient, counts, variable):
        ids = backend.active_ids(gradient)
        gradient = self._dense_gradient(gradient, variable)
        l2 = self.optimizer.embedding_l2
        if self.row_totals is not None:
            clipped = self._clip(gradient, counts, variable, ids)
            self._record_clipped(clipped.factor, clipped.counts)
            gradient, l2 = clipped.gradient, clipped.l2
        rate = ops.convert_to_tensor(self.optimizer.embedding_learning_rate)
        if self._mean_counts is not None:
            rate = rate * self._frequency_factor(counts)
        backend.table_adam(self.optimizer, gradient, variable, rate, l2)

    def _update_lazily(self, gradient, counts):
        variables = self._lazy_variables()
        kernels = backend if self._clips_row_by_row() else reference
        factor, *moved = kernels.update_active_rows(
            lambda _, *rows: step_lazily(self.optimizer, self._factor, *rows),
            counts > 0,
            (ops.ones_like(counts), *map(at_least_float32, variables)),
            gradient,
            counts,
        )
        for variable, after in zip(variables, moved, strict=True):
            self.optimizer.assign(variable, ops.cast(after, variable.dtype))
        self._record_clipped(factor, counts)

    def _dense_gradient(self, gradient, variable):
        return at_least_float32(
            backend.dense_gradient(gradient, variable.shape, may_pad=True)
        )

    def _clip(self, gradient, counts, variable, ids):
        l2 = self.optimizer.embedding_l2
        if self._never_clips():
            return backend.Clipped(gradient, ops.ones_like(counts), counts, l2)
        table = at_least_float32(variable)
        if self._clips_active_rows_alone():
            return backend.clip_active_rows(
                gradient, table, counts, self._factor, l2, ids
            )
        return backend.clip_rows(gradient, table, counts, self._factor, l2)

    def _factor(self, gradient, table, counts):
        """Returns the clip factors of some rows, by the l2 and the gradient."""
        if self.row_totals is None:
            return ops.ones_like(counts)
        if not self._clips_row_by_row():
            return self.optimizer._table_factor(gradient, table, counts)
        return adaptive_column_factor(
            gradient,
            table,
            counts,
            self.optimizer.clip_ratio,
            self.optimizer.clip_floor,
        )

    def _clips_row_by_row(self):
        return self.optimizer._table_factor is None

    def _is_float32(self):
        return keras.backend.standardize_dtype(self.table.dtype) == "float32"

    def _never_clips(self):
        ratio = self.optimizer.clip_ratio
        return self._clips_row_by_row() and ratio in (None, float("inf"))

    def _clips_active_rows_alone(self):
        """Whether no inactive row can be clipped.

        The gradient of such a row is `2 * embedding_l2 * w`, and its threshold
        is at least `clip_ratio * ||w||`.
        """
        return (
            self._clips_row_by_row()
            and 2.0 * self.optimizer.embedding_l2 <= self.optimizer.clip_ratio
        )

    def _frequency_factor(self, counts):
        mean = self._mean_counts
        updates = ops.cast(self.optimizer.iterations + 1, mean.dtype)
        self.optimizer.assign_add(mean, (counts - mean) / updates)
        factor = frequency_factor(
            ops.convert_to_tensor(mean), self.optimizer.frequency_scale
        )
        return ops.expand_dims(factor, axis=-1)

    def _lazy_variables(self):
        velocity = self.optimizer._velocities[self.index]
        return [self.table, velocity, self.last_step]

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
