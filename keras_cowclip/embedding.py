from functools import partial

import keras
from keras import ops

from keras_cowclip import backend
from keras_cowclip.checks import check_boolean
from keras_cowclip.checks import check_positive_integer
from keras_cowclip.table import TableTag
from keras_cowclip.weights import assign_all
from keras_cowclip.weights import assign_saved
from keras_cowclip.weights import is_sharded
from keras_cowclip.weights import note_saved_rows
from keras_cowclip.weights import saved_value


@keras.saving.register_keras_serializable(package="keras_cowclip")
class CowClipEmbedding(keras.layers.Embedding):
    """An `Embedding` layer that counts its ids for the `CowClip` optimizer.

    Use it wherever a click-through-rate model has an embedding table. With any
    optimizer other than `CowClip` it trains exactly as
    `keras.layers.Embedding` does. Leave `embeddings_regularizer` unset under
    `CowClip`, which adds the l2 itself.

    The layer owns one more weight, `id_counts`, of shape `(input_dim,)`. Its
    *gradient* is the number of times each id occurs in the batch, and Keras
    writes that gradient into the weight before the optimizer runs. No other way
    brings counts of a batch to an optimizer under `fit` on every backend.

    The counts are not saved: they stay out of weight files and of
    `get_weights()`. Weights therefore move freely to and from
    `keras.layers.Embedding`, layer by layer, and for whole models by
    `keras_cowclip.get_weights` and `keras_cowclip.set_weights`. Weight files of
    whole models can't be exchanged, because they name each layer by its class.

    With LoRA, or quantized, the table is fixed, and its ids are not counted.

    The counts are among the `trainable_variables`, and `model.summary()` counts
    them among the trainable parameters. A training loop without a Keras
    optimizer must skip every variable with `overwrite_with_gradient`.

    With `layer.id_counts.trainable = False` nothing is counted, and the layer
    does what `keras.layers.Embedding` does. Two things need that:

    * optimizers other than `CowClip` with `use_ema=True`, because Keras looks
      for an average of the counts and makes none;
    * forward-mode differentiation such as `jax.jvp`, because counts are defined
      as a gradient alone.

    Args:
        input_dim: integer. Number of rows of the table: largest id + 1.
        output_dim: integer. Length of one embedding vector.
        clip: boolean. Whether `CowClip` clips this table. `False` is for wide
            (one-dimensional, linear) tables, which keep the embedding learning
            rate and l2. Defaults to `True`.
        **embedding_kwargs: any other argument of `keras.layers.Embedding`.

    Call arguments:
        inputs: integer tensor.
        padding_mask: boolean tensor of the shape of `inputs`, `False` for
            padding, as in front of a short history. Its vectors are zero, have
            no gradient, and are not counted. Unlike with `mask_zero=True`, id 0
            is an id like any other. Defaults to `None`, no padding.

    Input shape:
        `(batch, fields)` integers in `[0, input_dim)`, or any other rank.

    Output shape:
        `(batch, fields, output_dim)`.

    Raises:
        ValueError: if a size is not a positive integer, `clip` is not a
            boolean, or `weights` have a shape other than the table's.

    Example:

    ```python
    ids = keras.Input((26,), dtype="int32")
    embeddings = keras_cowclip.CowClipEmbedding(1_000_000, 10)(ids)
    flat = keras.layers.Flatten()(embeddings)
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")

    history = keras.Input((50,), dtype="int32")  # -1 where there is no event
    layer = keras_cowclip.CowClipEmbedding(1_000_000, 10)
    events = layer(history, padding_mask=history >= 0)
    ```

    Reference:
    - [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), Algorithm 1.
    """

    input_dim: int
    lora_rank: int | None

    def __init__(
        self, input_dim, output_dim, clip=True, **embedding_kwargs
    ) -> None:
        check_positive_integer("input_dim", input_dim)
        check_positive_integer("output_dim", output_dim)
        check_boolean("clip", clip)
        # Given `weights`, `super().__init__` would build the layer, before
        # `clip` is set.
        weights = embedding_kwargs.pop("weights", None)
        super().__init__(int(input_dim), int(output_dim), **embedding_kwargs)
        self.clip = clip
        if weights is not None:
            self.build()
            self.set_weights(
                weights if isinstance(weights, list) else [weights]
            )

    def build(self, input_shape=None):
        if self.built:
            return
        # LoRA locks the layer's weights, and the counts are not there yet.
        lora_rank, self.lora_rank = self.lora_rank, None
        rows = self.input_dim
        sharded_rows = backend.sharded_rows(rows, f"{self.path}/embeddings")
        # Shards are equally long. No id looks up the rows that are added.
        self.input_dim = sharded_rows or rows
        super().build(input_shape)
        self.lora_rank = lora_rank
        self.id_counts = self.add_weight(
            shape=(self.input_dim,),
            initializer="zeros",
            dtype="float32",
            # All replicas of `tf.distribute` hold the sum of their counts.
            aggregation="only_first_replica",
            overwrite_with_gradient=True,
            name="id_counts",
        )
        self.input_dim = rows
        if sharded_rows is not None:
            for variable in self._embeddings, self.id_counts:
                note_saved_rows(variable, rows)
        # `CowClip.build` finds the counts by this tag.
        self._embeddings.cowclip = TableTag(self.id_counts, self.clip)
        if lora_rank:
            self.enable_lora(lora_rank, self.lora_alpha)

    def enable_lora(self, *args, **kwargs):
        super().enable_lora(*args, **kwargs)
        # Its table is fixed, so there is nothing to clip.
        self.id_counts.trainable = False

    def add_weight(self, *args, **kwargs):
        # If only the layer has a mixed policy, Keras casts the table before the
        # lookup. JAX and PyTorch would then sum a row's gradients in 16 bits,
        # and a popular id would lose most of them.
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def call(self, inputs, padding_mask=None):
        if keras.backend.standardize_dtype(inputs.dtype) not in (
            "int32",
            "int64",
        ):
            inputs = ops.cast(inputs, "int32")
        if not self.id_counts.trainable:
            return _without_padding(super().call, inputs, padding_mask)
        # As in `keras.layers.Embedding`, -1 is the last row.
        inputs = ops.where(inputs < 0, inputs + self.input_dim, inputs)
        table = self._embeddings
        embeddings = backend.look_up(table, table.cowclip, inputs, padding_mask)
        return ops.cast(embeddings, self.compute_dtype)

    def quantized_call(self, inputs, padding_mask=None, **kwargs):
        call = partial(super().quantized_call, **kwargs)
        return _without_padding(call, inputs, padding_mask)

    def compute_output_spec(self, inputs, padding_mask=None):
        return super().compute_output_spec(inputs)

    def get_weights(self):
        return [saved_value(variable) for variable in self._state()]

    def set_weights(self, weights):
        assign_all(self._state(), weights)

    def save_own_variables(self, store):
        if self._is_sharded():
            store["0"] = saved_value(self._embeddings)
        else:
            super().save_own_variables(store)

    def load_own_variables(self, store):
        if self._is_sharded():
            self._check_load_own_variables(store)
            assign_saved(self._embeddings, store["0"])
        else:
            super().load_own_variables(store)

    def quantize(self, mode=None, type_check=True, config=None):
        # Keras refuses subclasses, because it can't know what they change.
        super().quantize(mode, type_check=False, config=config)
        self.id_counts.trainable = False

    def _check_load_own_variables(self, store):
        # Keras would also expect the counts, which are not saved.
        expected, received = len(self._state()), len(store.keys())
        if received != expected:
            raise ValueError(
                f"Layer '{self.name}' expects {expected} saved variables. The "
                "weights of a model with `keras.layers.Embedding` are read by "
                "`keras_cowclip.set_weights(model, other.get_weights())`. "
                f"Received: {received} variables"
            )

    def get_config(self):
        return {**super().get_config(), "clip": self.clip}

    def _is_sharded(self):
        return self.built and is_sharded(self._embeddings)

    def _state(self):
        return [v for v in self.weights if v is not self.id_counts]


def _without_padding(call, inputs, padding_mask):
    """Returns what a lookup returns, and zeros for padding."""
    if padding_mask is None:
        return call(inputs)
    embeddings = call(ops.where(padding_mask, inputs, 0))
    return ops.where(ops.expand_dims(padding_mask, axis=-1), embeddings, 0)
