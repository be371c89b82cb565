import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cowclip import backend
from keras_cowclip.accumulation import Accumulator
from keras_cowclip.accumulation import check_accumulation
from keras_cowclip.averaging import move_averages
from keras_cowclip.checks import check_boolean
from keras_cowclip.checks import check_decay_rate
from keras_cowclip.checks import check_not_negative
from keras_cowclip.checks import check_positive
from keras_cowclip.checks import check_positive_integer
from keras_cowclip.from_adam import settings_at_batch
from keras_cowclip.table import TableUpdate
from keras_cowclip.table_settings import TableSettings
from keras_cowclip.weights import assign_saved
from keras_cowclip.weights import copy_saved_rows
from keras_cowclip.weights import saved_value


@keras.saving.register_keras_serializable(package="keras_cowclip")
class CowClip(keras.optimizers.Adam):
    """Adam for click-through-rate models at very large batch sizes.

    Every id's embedding gradient is clipped by the id's own weight norm and
    its count in the batch. For each row `w` of every `CowClipEmbedding` table:

    ```
    g = gradient of the mean loss + 2 * embedding_l2 * w
    clip_t = max(count, 1) * max(clip_ratio * ||w||, clip_floor)
    g = g * min(1, clip_t / ||g||)
    w = Adam(w, g, embedding_learning_rate)
    ```

    A table made with `CowClipEmbedding(clip=False)` is trained the same, but
    not clipped. All other weights, `keras.layers.Embedding` tables among them,
    get plain Adam with `learning_rate`. Every step updates every row of a
    table, in the batch or not, as in the published code.

    Args:
        learning_rate: float, schedule or callable. Learning rate of the dense
            weights. Defaults to `1e-3`. A float that is set later, as
            `ReduceLROnPlateau` and `LearningRateScheduler` do, moves
            `embedding_learning_rate` by the same factor, if that is a float.
        embedding_learning_rate: float, schedule or callable. Learning rate of
            every `CowClipEmbedding` table. Set alone, it leaves
            `learning_rate` as it is. Defaults to `1e-4`.
        embedding_l2: float (lambda in the paper). Adds `2 * embedding_l2 * w`
            to every row's gradient, before the clip. Defaults to `1e-5`.
        clip_ratio: float (r in the paper), or `None` to switch the clip off
            with all else equal. Defaults to `1.0`.
        clip_floor: float (zeta in the paper). Threshold of a row whose weights
            are near zero. The published code's `--bound` is another number:
            `clip_floor = r**2 * sqrt(embedding_dim) * bound`. Defaults to
            `1e-5`.
        beta_1: float. Decay rate of the first moment. Defaults to `0.9`.
        beta_2: float. Decay rate of the second moment. Defaults to `0.999`.
        epsilon: float. Added to the root of the second moment, as in
            `keras.optimizers.Adam`. Defaults to `1e-7`.
        lazy: boolean. `True` updates only the rows in the batch, and makes up
            for the steps they missed by the formula below. This is another
            algorithm than the paper's; its AUC comes close to the dense
            step's. Defaults to `False`.
        frequency_scale: float, positive. How many times larger the batch is
            than the one `embedding_learning_rate` was tuned at. Multiplies the
            rate of each row by `keras_cowclip.frequency_factor`, from the
            square root of the scale for rare ids to the scale itself for the
            most frequent ones. It needs betas and an epsilon for the larger
            batch, see `scale_hyperparameters`, and `lazy=False`. Not part of
            the paper. Defaults to `1.0`, which changes nothing.
        embedding_accumulation_steps: integer k. A table takes one step for k
            steps of the dense weights: by the mean of the k batches' gradients
            and the sum of their counts. Clip, l2, frequency factor and moments
            act once. The dense weights keep up with a small batch while tables
            have a large one; see `scale_hyperparameters`. The sums take as much
            memory as the table and one number a row. Defaults to `1`.
        embedding_beta_1: float. `beta_1` of the tables. Defaults to `None`,
            that of the dense weights.
        embedding_beta_2: float. `beta_2` of the tables. Defaults to `None`,
            that of the dense weights.
        embedding_epsilon: float. `epsilon` of the tables. Defaults to `None`,
            that of the dense weights.
        **optimizer_kwargs: any other argument of `keras.optimizers.Adam`.
            `weight_decay` acts on the dense weights alone.
            `gradient_accumulation_steps=k` sums the counts, so k batches of b
            rows equal one batch of `k * b`.

    With `lazy=True` a row that was not in the last `k` batches is updated by

    ```
    rate = embedding_learning_rate * sqrt(1 - beta_2**step)
    kept = beta_2**(k / 2)
    half = kept * v + (1 - kept) * (2 * embedding_l2 * w)**2
    w = w * exp(-k * rate * 2 * embedding_l2 / (sqrt(half) + epsilon))
    v = kept**2 * v + (1 - kept**2) * (2 * embedding_l2 * w)**2
    g = the clipped gradient of above
    v = beta_2 * v + (1 - beta_2) * g**2
    w = w - rate * g / (sqrt(v) + epsilon)
    ```

    Lines 3 to 5 do what l2 and second moment would have done in those steps, at
    the rate of this one; `half` is `v` half way through them. A gradient has
    its whole effect at once: there is no first moment to spread it over later
    steps. A table therefore has one moment less, and `beta_1` applies to the
    dense weights alone.

    On TensorFlow and PyTorch the cost of a lazy step does not depend on the
    size of the table, if nothing needs a dense gradient. This is so on one
    device, with float32 tables without a constraint, and without Keras' clips,
    `use_ema`, loss scales and `gradient_accumulation_steps`. Then:

    * `id_counts` is not written.
    * On TensorFlow, lookups of the table outside of the layer count as well.
    * On PyTorch, gradients are sparse from the second step on, but never with
      `jit_compile=True`.

    With `embedding_accumulation_steps`, `fit` counts and schedules steps of the
    dense weights. `id_counts` is not written. If an epoch ends between two
    steps of the tables, the next epoch continues their sums. Between these
    steps the cost of a batch does not depend on the size of the table, with
    `lazy` or without. On TensorFlow and PyTorch this holds for float32 tables
    on one device without a `LossScaleOptimizer`, on JAX where XLA compiles the
    step.

    With `use_ema` Keras would pass over all tables at each step. On one device,
    the averages of tables are updated once in `0.1 / (1 - ema_momentum)` steps,
    a tenth of their window, but no more often than the tables.

    Several devices train what one device trains with the whole batch, because
    counts are summed over them: under `keras.distribution` on JAX, in the scope
    of a `tf.distribute` strategy, and in every initialized process group of
    `torch.distributed`, such as that of `DistributedDataParallel`.

    Raises:
        ValueError: for an argument of another type, a negative learning
            rate, l2, ratio, floor or epsilon, a beta outside of `[0, 1)`, or a
            scale that is not positive. Also for `lazy` with `amsgrad` or a
            `frequency_scale`, and for `embedding_accumulation_steps` with one
            of Keras' clips or with `gradient_accumulation_steps`.
        NotImplementedError: for `gradient_accumulation_steps`,
            `embedding_accumulation_steps`, `clipnorm`, `global_clipnorm`,
            `clipvalue` and `ema_overwrite_frequency` in a `tf.distribute`
            strategy of several replicas.

    Example:

    ```python
    ids = keras.Input((2,), dtype="int32")
    embeddings = keras_cowclip.CowClipEmbedding(1000, 10)(ids)
    flat = keras.layers.Flatten()(embeddings)
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
    optimizer = keras_cowclip.CowClip(
        **keras_cowclip.scale_hyperparameters(batch_size=4096)
    )
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    x = np.random.default_rng(0).integers(0, 1000, (4096, 2))
    y = (x[:, :1] % 2).astype("float32")
    model.fit(x, y, batch_size=4096)
    optimizer.clipped_share  # of the rows in the last batch
    ```

    Reference:
    - [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), Algorithm 1.
    """

    # A subclass may define a method `(gradient, table, counts)` that returns
    # the clip factor of every row of a table, and may need the whole table.
    _table_factor: Any = None
    _ratio_of_rates: float | None = None

    def __init__(
        self,
        learning_rate=1e-3,
        embedding_learning_rate=1e-4,
        embedding_l2=1e-5,
        clip_ratio=1.0,
        clip_floor=1e-5,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        lazy=False,
        frequency_scale=1.0,
        embedding_accumulation_steps=1,
        embedding_beta_1=None,
        embedding_beta_2=None,
        embedding_epsilon=None,
        **optimizer_kwargs,
    ):
        _check_rate("learning_rate", learning_rate)
        _check_rate("embedding_learning_rate", embedding_learning_rate)
        check_not_negative("embedding_l2", embedding_l2)
        if clip_ratio is not None:
            check_not_negative("clip_ratio", clip_ratio)
        check_not_negative("clip_floor", clip_floor)
        check_decay_rate("beta_1", beta_1)
        check_decay_rate("beta_2", beta_2)
        check_not_negative("epsilon", epsilon)
        check_boolean("lazy", lazy)
        check_positive("frequency_scale", frequency_scale)
        if lazy:
            _check_lazy(frequency_scale, optimizer_kwargs.get("amsgrad"))
        check_positive_integer(
            "embedding_accumulation_steps", embedding_accumulation_steps
        )
        if embedding_beta_1 is not None:
            check_decay_rate("embedding_beta_1", embedding_beta_1)
        if embedding_beta_2 is not None:
            check_decay_rate("embedding_beta_2", embedding_beta_2)
        if embedding_epsilon is not None:
            check_not_negative("embedding_epsilon", embedding_epsilon)
        super().__init__(
            learning_rate=(
                learning_rate
                if callable(learning_rate)
                else float(learning_rate)
            ),
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            **optimizer_kwargs,
        )
        self.embedding_l2 = embedding_l2
        self.clip_ratio = clip_ratio
        self.clip_floor = clip_floor
        self.lazy = lazy
        self.frequency_scale = frequency_scale
        self.embedding_accumulation_steps = int(embedding_accumulation_steps)
        self.embedding_beta_1 = embedding_beta_1
        self.embedding_beta_2 = embedding_beta_2
        self.embedding_epsilon = embedding_epsilon
        if self._accumulates():
            check_accumulation(self)
        if not callable(embedding_learning_rate):
            # A compiled step sees a new rate only if it is a variable.
            embedding_learning_rate = self.add_variable(
                shape=(),
                initializer=keras.initializers.Constant(
                    embedding_learning_rate
                ),
                aggregation="only_first_replica",
                name="embedding_learning_rate",
            )
        self._embedding_learning_rate = embedding_learning_rate
        self._keep_ratio_of_rates()

    @classmethod
    def from_optimizer(
        cls,
        optimizer: keras.optimizers.Adam,
        base_batch_size: int,
        batch_size: int,
        rule: str = "frequency",
        embedding_l2: float = 0.0,
        embedding_batch_size: int | None = None,
        **arguments: Any,
    ) -> "CowClip":
        """Makes a `CowClip` of an Adam that works at a smaller batch.

        Use it if a custom model trains well with Adam, and its batch is to
        grow. All settings are those of `optimizer`, for the tables too, scaled
        by `keras_cowclip.scale_hyperparameters`.

        Args:
            optimizer: `keras.optimizers.Adam` or `AdamW`, with a float as its
                learning rate. Its `weight_decay` will act on the dense weights
                alone.
            base_batch_size: integer. Rows per step that `optimizer` was tuned
                at.
            batch_size: integer. Rows per step to train with.
            rule: string, see `scale_hyperparameters`. Defaults to
                `"frequency"`.
            embedding_l2: float, at the base batch size. Adam has none.
                Defaults to `0.0`.
            embedding_batch_size: integer, a multiple of `batch_size`. Rows per
                step of the tables, see `scale_hyperparameters`. Defaults to
                `None`, `batch_size`.
            **arguments: arguments of `CowClip` that are not to be taken from
                `optimizer`.

        Raises:
            ValueError: for another kind of optimizer, or a schedule as its
                learning rate.

        Example:

        >>> adam = keras.optimizers.Adam(1e-3)
        >>> optimizer = keras_cowclip.CowClip.from_optimizer(
        ...     adam, base_batch_size=256, batch_size=4096
        ... )
        >>> float(optimizer.frequency_scale)
        16.0
        """
        settings = settings_at_batch(
            optimizer,
            base_batch_size,
            batch_size,
            rule,
            embedding_l2,
            embedding_batch_size,
        )
        return cls(**{**settings, **arguments})

    @property
    def learning_rate(self):
        """The current learning rate of the dense weights."""
        return super().learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        keras.optimizers.Optimizer.learning_rate.fset(self, value)
        if self._ratio_of_rates is not None and not callable(value):
            self._embedding_learning_rate.assign(value * self._ratio_of_rates)

    @property
    def embedding_learning_rate(self):
        """The current learning rate of the embedding tables."""
        rate = self._embedding_learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            return rate(self._iterations)
        return rate() if callable(rate) else rate

    @embedding_learning_rate.setter
    def embedding_learning_rate(self, value):
        if callable(self._embedding_learning_rate):
            raise TypeError(
                "`embedding_learning_rate` was given as a schedule or callable "
                "and can't be set; create the optimizer with a float. "
                f"Received: embedding_learning_rate={value}"
            )
        check_not_negative("embedding_learning_rate", value)
        self._embedding_learning_rate.assign(value)
        self._keep_ratio_of_rates()

    @property
    def clipped_share(self):
        """Share of the rows in the last batch that were clipped.

        A float over all clipped tables together, 0 before the first step.
        Inside `fit` on JAX, read it through `Callback.model.optimizer`.
        """
        clipped, present = self._clipped_and_present()
        return clipped / present if present else 0.0

    def build(self, variables):
        if self.built:
            return
        backend.check_replicas(self)
        self._table_updates: list = self._make_table_updates(variables)
        with backend.state_scope():
            super().build(variables)
        for update in self._tables():
            if self.use_ema:
                # Keras makes no average for overwritten variables, but looks
                # for one on TensorFlow and JAX.
                self._model_variables_moving_average[update.counts_index] = (
                    self.add_variable_from_reference(
                        update.tag.id_counts, "average"
                    )
                )
            update.add_totals()
        with backend.state_scope():
            self._accumulators = [
                Accumulator(update) if self._accumulates() else None
                for update in self._tables()
            ]
        if not any(update.tag.clip for update in self._tables()):
            warnings.warn(
                "There is nothing to clip: the model has no trainable "
                "`CowClipEmbedding` with `clip=True`, so `CowClip` acts as "
                "Adam on all weights outside `CowClipEmbedding` tables.",
                stacklevel=2,
            )
        for update in self._tables():
            update.warn_of_regularizer()

    def add_variable_from_reference(
        self, reference_variable, name=None, initializer="zeros"
    ):
        if self.lazy and name == "momentum":
            update = self._update_of(reference_variable)
            if update is not None:
                # A lazy table has no momentum. `last_step` takes its place in
                # the order in which Keras saves an optimizer's variables.
                update.add_last_step()
                return None
        added = super().add_variable_from_reference(
            reference_variable, name, initializer
        )
        return copy_saved_rows(added, reference_variable)

    def scale_loss(self, loss):
        # Keras calls this on the outermost optimizer only. Under
        # `LossScaleOptimizer`, which can't unscale sparse gradients, it is not
        # called and gradients stay dense.
        if self.built:
            for update in self._tables():
                update.tag.sparse_gradients = update.takes_sparse_gradients()
        return super().scale_loss(loss)

    def apply(self, grads, trainable_variables=None):
        if trainable_variables is None:
            variables = self._trainable_variables
        else:
            variables = list(trainable_variables)
            if not self.built:
                with keras.name_scope(self.name):
                    self.build(variables)
        if len(grads) != len(variables):
            return super().apply(grads, trainable_variables)
        self._check_variables_are_known(variables)
        pairs = {
            self._get_variable_index(variable): (gradient, variable)
            for gradient, variable in zip(grads, variables, strict=True)
        }
        for update in self._tables():
            update.tag.sparse_gradients = False
        updated = self._update_apart(pairs)
        counts_indices = {update.counts_index for update in self._tables()}
        # TensorFlow sums `tf.IndexedSlices` faster within a compiled update.
        sum_later = backend.is_alone() and not self._keras_changes_gradients()
        kept_grads, kept_variables = [], []
        for index, (gradient, variable) in pairs.items():
            if index in counts_indices:
                self._record_counts(variable, gradient)
                continue
            is_table = self._table_updates[index] is not None
            if is_table and gradient is not None and not sum_later:
                gradient = backend.dense_gradient(gradient, variable.shape)
            kept_grads.append(gradient)
            kept_variables.append(variable)
        if updated and all(gradient is None for gradient in kept_grads):
            if self.use_ema:
                self._backend_apply_gradients([], [])
            self._iterations.assign_add(1)
        else:
            super().apply(kept_grads, kept_variables)

    def update_step(self, gradient, variable, learning_rate):
        update = self._update_of(variable)
        if update is not None:
            update.update(gradient, update.tag.id_counts, variable)
        else:
            backend.adam(self, gradient, variable, learning_rate)

    def save_own_variables(self, store):
        for i, variable in enumerate(self.variables):
            store[str(i)] = saved_value(variable)

    def load_own_variables(self, store):
        if len(store.keys()) == len(self.variables):
            for i, variable in enumerate(self.variables):
                assign_saved(variable, store[str(i)])
        else:  # Keras warns of it, and loads nothing.
            super().load_own_variables(store)
        for accumulator in self._accumulators if self.built else ():
            if accumulator is not None:
                accumulator.clear_if_used()

    def get_config(self):
        rate = self._embedding_learning_rate
        if callable(rate):
            rate = keras.saving.serialize_keras_object(rate)
        else:
            rate = float(ops.convert_to_numpy(rate))
        return {
            **super().get_config(),
            "embedding_learning_rate": rate,
            "embedding_l2": self.embedding_l2,
            "clip_ratio": self.clip_ratio,
            "clip_floor": self.clip_floor,
            "lazy": self.lazy,
            "frequency_scale": self.frequency_scale,
            "embedding_accumulation_steps": self.embedding_accumulation_steps,
            "embedding_beta_1": self.embedding_beta_1,
            "embedding_beta_2": self.embedding_beta_2,
            "embedding_epsilon": self.embedding_epsilon,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        if isinstance(config.get("embedding_learning_rate"), dict):
            config["embedding_learning_rate"] = (
                keras.saving.deserialize_keras_object(
                    config["embedding_learning_rate"],
                    custom_objects=custom_objects,
                )
            )
        return super().from_config(config, custom_objects=custom_objects)

    def _keep_ratio_of_rates(self):
        """Notes how the rates relate; `None` for a schedule or a zero.

        A callback may set the rate to zero and later to another value, so the
        ratio can't be computed from the rates at each change.
        """
        rates = self._learning_rate, self._embedding_learning_rate
        self._ratio_of_rates = None
        if all(isinstance(rate, keras.Variable) for rate in rates):
            dense, embedding = (
                float(ops.convert_to_numpy(rate)) for rate in rates
            )
            self._ratio_of_rates = embedding / dense if dense else None

    def _clipped_and_present(self):
        """Returns the clipped rows and all rows of the last batch."""
        totals = [
            ops.convert_to_numpy(update.row_totals)
            for update in (self._tables() if self.built else ())
            if update.row_totals is not None
        ]
        clipped, present = np.sum(totals, axis=0) if totals else (0.0, 0.0)
        return float(clipped), float(present)

    def _make_table_updates(self, variables):
        """Returns a `TableUpdate` for each variable that is a table."""
        position = {id(variable): i for i, variable in enumerate(variables)}
        settings = TableSettings(self)
        updates: list[TableUpdate | None] = []
        for i, variable in enumerate(variables):
            tag = getattr(variable, "cowclip", None)
            if tag is None:
                updates.append(None)
                continue
            if id(tag.id_counts) not in position:
                layer_path = variable.path.rpartition("/")[0]
                raise ValueError(
                    "A `CowClipEmbedding` table and its `id_counts` must be "
                    "given to the same optimizer: map the whole layer to it, "
                    f'in an `OptimizerMap` by "{layer_path}/.*". Received: '
                    f"{variable.path} without {tag.id_counts.path}"
                )
            counts_index = position[id(tag.id_counts)]
            updates.append(TableUpdate(settings, i, counts_index, variable))
        return updates

    def _tables(self):
        return [update for update in self._table_updates if update is not None]

    def _update_of(self, variable):
        # By index: `update_step` gets a bare `tf.Variable` on TensorFlow.
        return self._table_updates[self._get_variable_index(variable)]

    def _update_apart(self, pairs):
        """Updates the tables that Keras' `apply` must not see.

        These are tables with a sparse gradient if `lazy`, and tables that step
        once in several batches. They and their counts are taken out of `pairs`.
        Returns whether there were any.
        """
        updated = False
        for update, accumulator in zip(
            self._tables(), self._accumulators, strict=True
        ):
            indices = update.index, update.counts_index
            gradient, counts = (
                pairs[index][0] if index in pairs else None for index in indices
            )
            if accumulator is not None:
                if gradient is not None:
                    if counts is not None:
                        counts = backend.sum_over_replicas(counts)
                    accumulator.add(gradient, counts)
                # Batches before this one may have had a gradient.
                accumulator.step_if_due()
            elif not update.update_sparsely(gradient, counts):
                continue
            for index in indices:
                pairs.pop(index, None)
            updated = True
        return updated

    def _accumulates(self):
        return self.embedding_accumulation_steps > 1

    def _update_model_variables_moving_average(self, trainable_variables):
        if backend.is_alone():
            move_averages(self, {update.index for update in self._tables()})
        else:  # Replicas of TensorFlow can't meet in a branch.
            super()._update_model_variables_moving_average(trainable_variables)

    def _keras_changes_gradients(self):
        """Whether Keras' `apply` reads gradients before `update_step` does."""
        return any(
            (
                self.gradient_accumulation_steps,
                self.clipnorm,
                self.global_clipnorm,
                self.clipvalue,
                self.loss_scale_factor,
            )
        )

    def _record_counts(self, id_counts, counts):
        if counts is not None:
            counts = backend.dense_gradient(counts, id_counts.shape)
            counts = backend.sum_over_replicas(counts)
        else:  # The table was used without a lookup.
            counts = ops.zeros(id_counts.shape, dtype=id_counts.dtype)
        if self.gradient_accumulation_steps:
            # Keras would keep the maximum over the micro-batches, not the sum.
            accumulator = self._accumulated_gradients[
                self._get_variable_index(id_counts)
            ]
            counts = counts + ops.convert_to_tensor(accumulator)
            steps = self.gradient_accumulation_steps
            last = ops.equal((self._iterations + 1) % steps, 0)
            accumulator.assign(ops.where(last, 0.0, counts))
        id_counts.assign(counts)

    def _use_weight_decay(self, variable):
        # Decoupled decay would shrink tables at the dense learning rate.
        if self._update_of(variable) is not None:
            return False
        return super()._use_weight_decay(variable)


def _check_rate(name, value):
    if not callable(value):  # The values of a schedule are not known yet.
        check_not_negative(name, value)


def _check_lazy(frequency_scale, amsgrad):
    if amsgrad:
        raise ValueError(
            "`lazy=True` does not support `amsgrad`. "
            "Received: lazy=True, amsgrad=True"
        )
    if frequency_scale != 1:
        # A rare id's lazy row takes as many steps an epoch at any batch.
        raise ValueError(
            "`lazy=True` does not support `frequency_scale`, which is for rows "
            "that move in every step. Received: lazy=True, "
            f"frequency_scale={frequency_scale}"
        )
