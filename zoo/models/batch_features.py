"""Builds the parts that networks share, from the columns of a batch."""

from functools import cached_property
from typing import Any

import keras
from keras import ops

from keras_cowclip import CowClipEmbedding
from zoo.checks import check_choice
from zoo.layers import FieldOffset
from zoo.layers import FieldSum
from zoo.layers import MaskedMean
from zoo.layers import NumericEmbedding
from zoo.layers.activation import activation_layer

Tensor = Any


class Features:
    """The columns of a batch as the `logits` of a network gets them.

    Everything here gives Keras tensors. A part has its weights from the moment
    it is asked for, so that a network has no weight that it does not use. The
    names of layers (`embeddings`, `linear_embeddings`, `hidden_1`, `logit`) are
    an interface: imports of checkpoints and users' code go by them.

    Args:
        model: `CTRModel` with its arguments as attributes.

    Attributes:
        schema: `zoo.FeatureSchema`.
        inputs: dict from the names of `schema.inputs()` to tensors.
        kept: dict of tensors for `CTRModel.extra_loss`, see `keep`.

    Example:

    ```python
    class Tower(zoo.CTRModel):
        def logits(self, x):
            return [x.linear(), x.output(x.mlp(x.flat, (64, 32)))]

    model = Tower(zoo.FeatureSchema(["price"], {"site": 1000}))
    ```
    """

    def __init__(self, model: Any) -> None:
        self.schema = model.schema
        self.kept: dict[str, Tensor] = {}
        # Keras would call the first layer of the class `Dense` so.
        type("dense", (keras.layers.Layer,), {})()
        self.inputs = {
            # A sequence may be called as a layer is: `click`, `features`.
            name: keras.Input(
                (width,),
                dtype=dtype,
                name=f"sequence_{name}"
                if name in self.schema.sequences
                else name,
            )
            for name, (width, dtype) in self.schema.inputs().items()
        }
        self._model = model
        self._tables: dict[str, Table] = {}
        self._with_numeric: dict[str, Tensor] = {}

    @property
    def dense(self) -> Tensor:
        """The numeric columns, `(batch, num_dense)`."""
        return self.inputs["dense"]

    @cached_property
    def fields(self) -> Tensor:
        """Embeddings of the fields alone, `(batch, fields, embedding_dim)`.

        With `dense="embed"` the numeric columns come first.
        """
        return self.fields_of("embeddings")

    @cached_property
    def embeddings(self) -> Tensor:
        """`fields`, and each sequence's mean as one more field.

        `(batch, fields + sequences, embedding_dim)`.
        """
        return self.embeddings_of("embeddings")

    @cached_property
    def flat(self) -> Tensor:
        """`embeddings` side by side, and with `dense="concat"` the dense.

        `(batch, fields * embedding_dim + num_dense)`.
        """
        flat = keras.layers.Flatten()(self.embeddings)
        if self._model.dense == "embed":
            return flat
        return keras.layers.Concatenate(name="features")([flat, self.dense])

    def field(self, name: str) -> Tensor:
        """Returns the embedding of one field, `(batch, embedding_dim)`."""
        check_choice("field", name, self.schema.categorical)
        place = list(self.schema.categorical).index(name)
        return self.table().fields[:, place]

    def sequence(self, name: str) -> tuple[Tensor, Tensor]:
        """Returns the events of a sequence and which of them are none.

        Args:
            name: string.

        Returns:
            `(batch, length, embedding_dim)` vectors, zero where padded, and
            the `(batch, length)` boolean mask, `False` where padded.
        """
        mask = self.mask(name)
        return self.table().sequences[name], mask

    def mask(self, name: str) -> Tensor:
        """Returns which places of a sequence hold an event."""
        check_choice("sequence", name, self.schema.sequences)
        return self.inputs[name] >= 0

    def fields_of(self, name: str, dim: int | None = None) -> Tensor:
        """Returns the `fields` of another table of the same ids.

        Args:
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.
        """
        vectors = self.table(name, dim).fields
        if self._model.dense != "embed" or not self.schema.num_dense:
            return vectors
        if name not in self._with_numeric:
            numeric = NumericEmbedding(
                vectors.shape[-1], name=f"numeric_{name}"
            )
            self._with_numeric[name] = keras.layers.Concatenate(axis=1)(
                [numeric(self.dense), vectors]
            )
        return self._with_numeric[name]

    def embeddings_of(self, name: str, dim: int | None = None) -> Tensor:
        """Returns the `embeddings` of another table, see `fields_of`."""
        fields = self.fields_of(name, dim)
        means = self._means(self.table(name, dim))
        if not means:
            return fields
        return keras.layers.Concatenate(axis=1)([fields, *means])

    def table(
        self, name: str = "embeddings", dim: int | None = None
    ) -> "Table":
        """Returns all columns looked up in one table, made at the first call.

        Args:
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.
        """
        if name not in self._tables:
            prefix = "" if name == "embeddings" else f"{name}_"
            self._tables[name] = Table(
                self,
                CowClipEmbedding(
                    self.schema.num_ids,
                    dim or self._model.embedding_dim,
                    embeddings_initializer=keras.initializers.RandomNormal(
                        stddev=self._model.embedding_deviation
                    ),
                    name=name,
                ),
                f"{prefix}rows",
            )
        table = self._tables[name]
        if dim not in (None, table.fields.shape[-1]):
            raise ValueError(
                f"`dim` must be that of the first call for the table '{name}', "
                f"{table.fields.shape[-1]}. Received: dim={dim}"
            )
        return table

    def linear(self) -> Tensor:
        """The wide part: one weight an id and one a dense column.

        `(batch, labels)`. The ids' weights are a table that is never clipped;
        their l2 is the optimizer's. `linear_l2` is for the dense columns.
        """
        labels = len(self.schema.labels)
        sizes = self.schema.unshared_vocabularies
        table = Table(
            self,
            CowClipEmbedding(
                sum(sizes.values()),
                labels,
                clip=False,
                embeddings_initializer="zeros",
                name="linear_embeddings",
            ),
            "linear_rows",
            shared=False,
        )
        weights = table.fields
        if table.sequences:
            weights = keras.layers.Concatenate(axis=1)(
                [weights, *self._means(table)]
            )
        logit = FieldSum(name="linear_ids")(weights)
        if not self.schema.num_dense:
            return logit
        l2 = self._model.linear_l2
        dense = keras.layers.Dense(
            labels,
            use_bias=False,
            kernel_initializer="glorot_normal",
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name="linear_dense",
        )(self.dense)
        return keras.layers.Add(name="linear")([logit, dense])

    def mlp(
        self,
        inputs: Tensor | None = None,
        units: tuple[int, ...] | None = None,
        name: str | None = None,
        use_bias: bool = True,
    ) -> Tensor:
        """A multilayer perceptron, `(batch, units[-1])`.

        Each layer is `dropout(activation(normalization(x W + b)))`, with the
        model's `dropout`, `activation` and `normalization`.

        Args:
            inputs: `(batch, ...)`. Defaults to `None`, `flat`.
            units: integers, the width of each layer. Defaults to `None`, the
                model's `hidden_units`.
            name: string. Of the layers, for a second perceptron: they are then
                `<name>_hidden_1` and so on. Defaults to `None`.
            use_bias: boolean, whether layers have `b`. Defaults to `True`.
        """
        x = self.flat if inputs is None else inputs
        units = self._model.hidden_units if units is None else units
        prefix = f"{name}_" if name else ""
        for i, width in enumerate(units, start=1):
            x = self._hidden_layer(x, width, prefix, i, use_bias)
        return x

    def output(
        self, inputs: Tensor, name: str = "logit", use_bias: bool = False
    ) -> Tensor:
        """A linear output, `(batch, labels)`; the model adds a bias anyway."""
        return keras.layers.Dense(
            len(self.schema.labels),
            use_bias=use_bias,
            kernel_initializer="glorot_normal",
            name=name,
        )(inputs)

    def keep(self, name: str, tensor: Tensor) -> None:
        """Hands a tensor to `CTRModel.extra_loss` while the model trains."""
        self.kept[name] = tensor

    def _hidden_layer(
        self, x: Tensor, width: int, prefix: str, i: int, use_bias: bool
    ) -> Tensor:
        model = self._model
        # Keras fuses no activation that has weights or a layer before it.
        fused = model.normalization is None and model.activation not in (
            "dice",
            "prelu",
        )
        x = keras.layers.Dense(
            width,
            activation=model.activation if fused else None,
            use_bias=use_bias,
            kernel_initializer="glorot_normal",
            name=f"{prefix}hidden_{i}",
        )(x)
        if not fused:
            if model.normalization is not None:
                x = normalization_layer(
                    model.normalization, f"{prefix}norm_{i}"
                )(x)
            x = activation_layer(model.activation, f"{prefix}activation_{i}")(x)
        dropout = model.dropout
        if isinstance(dropout, tuple):
            dropout = dropout[i - 1]
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"{prefix}dropout_{i}")(x)
        return x

    def _means(self, table: "Table") -> list[Tensor]:
        """The mean of each sequence, `(batch, 1, embedding_dim)`."""
        return [
            ops.expand_dims(MaskedMean()([events, self.mask(name)]), axis=1)
            for name, events in table.sequences.items()
        ]


class Table:
    """All columns of a batch, looked up in one table by one call.

    Args:
        features: `Features`.
        layer: `CowClipEmbedding`.
        rows: string, the name of the layer that finds the rows.
        shared: boolean. Whether a sequence that shares a field's vocabulary
            also shares its rows. Defaults to `True`.

    Attributes:
        fields: `(batch, num_fields, dim)`.
        sequences: dict from names to `(batch, length, dim)`, zero where padded.
    """

    def __init__(
        self,
        features: Features,
        layer: CowClipEmbedding,
        rows: str,
        shared: bool = True,
    ) -> None:
        schema, inputs = features.schema, features.inputs
        if not schema.sequences:
            offset = FieldOffset(schema.vocabulary_sizes, name=rows)
            self.fields = layer(offset(inputs["ids"]))
            self.sequences: dict[str, Tensor] = {}
            return
        # A second call would add its counts to those of the first, but each
        # call costs an update of the whole table.
        vocabularies = (
            schema.vocabularies if shared else schema.unshared_vocabularies
        )
        places = list(vocabularies)
        columns = list(range(schema.num_fields))
        for name, sequence in schema.sequences.items():
            vocabulary = schema.vocabulary_of(name) if shared else name
            columns += [places.index(vocabulary)] * sequence.max_length
        ids = keras.layers.Concatenate(name=f"{rows}_ids")(
            [inputs["ids"], *(inputs[name] for name in schema.sequences)]
        )
        offset = FieldOffset(list(vocabularies.values()), columns, name=rows)
        vectors = layer(offset(ids), padding_mask=ids >= 0)
        start = schema.num_fields
        self.fields, self.sequences = vectors[:, :start], {}
        for name, sequence in schema.sequences.items():
            end = start + sequence.max_length
            self.sequences[name] = vectors[:, start:end]
            start = end


def normalization_layer(kind: str, name: str) -> keras.layers.Layer:
    """Returns a normalization with PyTorch's constants.

    Args:
        kind: string, `"batch"` or `"layer"`.
        name: string, the layer's name.
    """
    if kind == "batch":
        return keras.layers.BatchNormalization(
            epsilon=1e-5, momentum=0.9, name=name
        )
    return keras.layers.LayerNormalization(epsilon=1e-5, name=name)
