"""Builds the parts that networks share, from the columns of a batch."""

from collections.abc import Callable
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
from zoo.models.hidden_layers import after_linear
from zoo.models.hidden_layers import hidden_layer
from zoo.models.hidden_layers import one_each
from zoo.models.history import History
from zoo.models.table import Table

Tensor = Any


class Features:
    """The columns of a batch as the `logits` of a network gets them.

    Each method returns Keras tensors. A part gets its weights when it is first
    asked for, so a network has no weight that it does not use. The names of
    layers (`embeddings`, `linear_embeddings`, `hidden_1`, `logit`) are an
    interface: imports of checkpoints and users' code rely on them.

    Args:
        model: `CTRModel` with its arguments as attributes.

    Attributes:
        schema: `zoo.FeatureSchema`.
        inputs: dict from the names of `schema.inputs()` to tensors.
        kept: dict of tensors for `CTRModel.extra_loss`, see `keep`.
        vocabularies: dict from the layer of each table to the names of the
            vocabularies whose rows it has, one behind the other.

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
        # Takes the name `dense`, which Keras would give to the first `Dense`
        # layer and which the input has.
        type("dense", (keras.layers.Layer,), {})()
        self.inputs = {
            # A sequence may have the name of a layer, such as `click`.
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
        self.vocabularies: dict[str, list[str]] = {}
        self._tables: dict[str, Table] = {}
        self._numeric: dict[str, Tensor] = {}
        self._selected: dict[Any, Tensor] = {}
        self._numeric_used = False

    @property
    def dense(self) -> Tensor:
        """The numeric columns, `(batch, num_dense)`."""
        self._numeric_used = True
        return self.inputs["dense"]

    @property
    def names(self) -> list[str]:
        """The names of `embeddings`, in their order."""
        if self._model.field_order is not None:
            return list(self._model.field_order)
        numeric = self.schema.dense if self._model.dense == "embed" else []
        return [*numeric, *self.schema.categorical, *self.schema.sequences]

    @cached_property
    def fields(self) -> Tensor:
        """Embeddings of the fields alone, `(batch, fields, embedding_dim)`.

        With `dense="embed"` the numeric columns come first, unless the model
        has a `field_order`.
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
        """`embeddings` side by side, and with `dense="concat"` the numbers.

        `(batch, fields * embedding_dim + num_dense)`.
        """
        return self._flat(self.embeddings)

    def field(self, name: str) -> Tensor:
        """Returns the embedding of one field, `(batch, embedding_dim)`."""
        check_choice("field", name, self.schema.categorical)
        place = list(self.schema.categorical).index(name)
        return self.table().fields[:, place]

    def sequence(self, name: str) -> tuple[Tensor, Tensor]:
        """Returns the vectors of a sequence's events, and their mask.

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

    def history(
        self, names: tuple[str, ...], targets: tuple[str, ...]
    ) -> History:
        """Returns parallel sequences, and the fields they are compared with.

        Args:
            names: names of sequences of the same events.
            targets: the name of a field for each of them.
        """
        table = self.table()
        return History(
            names,
            self.joined([table.sequences[each] for each in names]),
            self.mask(names[0]),
            self.joined([self.field(each) for each in targets]),
        )

    def flat_with(self, vectors: dict[str, Tensor]) -> Tensor:
        """Returns `flat` with given vectors in the place of sequences' means.

        Args:
            vectors: dict from names of sequences to `(batch, embedding_dim)`.
        """
        return self._flat(
            self._stacked(self.names, "embeddings", None, vectors)
        )

    def flat_without(self, sequences: list[str]) -> Tensor:
        """Returns `flat` without the means of some sequences.

        Args:
            sequences: their names.
        """
        names = [name for name in self.names if name not in sequences]
        return self._flat(self._stacked(names, "embeddings", None))

    def flat_of(self, name: str) -> Tensor:
        """Returns `flat` of another table of the same ids, see `fields_of`."""
        return self._flat(self.embeddings_of(name), f"{name}_features")

    def fields_of(self, name: str, dim: int | None = None) -> Tensor:
        """Returns the `fields` of another table of the same ids.

        Args:
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.
        """
        sequences = self.schema.sequences
        names = [each for each in self.names if each not in sequences]
        return self._stacked(names, name, dim)

    def embeddings_of(self, name: str, dim: int | None = None) -> Tensor:
        """Returns the `embeddings` of another table, see `fields_of`."""
        return self._stacked(self.names, name, dim)

    def columns(self, names: list[str]) -> Tensor:
        """Returns some of `embeddings`, `(batch, len(names), embedding_dim)`.

        Args:
            names: list of strings out of `self.names`.
        """
        for name in names:
            check_choice("column", name, self.names)
        places = [self.names.index(name) for name in names]
        return ops.take(self.embeddings, places, axis=1)

    def columns_of(self, role: str) -> Tensor:
        """Returns the `embeddings` of a role, `(batch, columns, dim)`.

        With `dense="concat"` numeric columns have none and are left out.

        Args:
            role: string, such as `"user"`.

        Raises:
            ValueError: if the role has no column with an embedding.
        """
        names = self.schema.columns_of(role)
        embedded = [name for name in names if name in self.names]
        if not embedded:
            raise ValueError(
                f"The role '{role}' must have a column with an embedding: a "
                "field, a sequence, or with dense='embed' a numeric column. "
                f"Received: {names}"
            )
        return self.columns(embedded)

    def selected(
        self, columns: list[str], name: str, dim: int | None = None
    ) -> Tensor:
        """Returns some columns, looked up in a table that has these alone.

        The same call again returns the same tensor.

        Args:
            columns: names of fields, and of numeric columns.
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.

        Returns:
            `(batch, len(columns), dim)`, in the order of `columns`.
        """
        key = (tuple(columns), name, dim)
        if key not in self._selected:
            dim = dim or self._model.embedding_dim
            self._selected[key] = self._look_up(columns, name, dim)
        return self._selected[key]

    def looked_up(
        self, ids: list[tuple[str, Tensor]], name: str, dim: int | None = None
    ) -> list[Tensor]:
        """Returns the vectors of ids, in a table of their vocabularies alone.

        To be called once for a table.

        Args:
            ids: list of pairs: the name of a vocabulary, and `(batch, count)`
                ids out of it, -1 for none.
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.

        Returns:
            List of `(batch, count, dim)`, zero where there is no id.
        """
        vocabularies = list(dict.fromkeys(each for each, _ in ids))
        columns = [
            vocabularies.index(each)
            for each, tensor in ids
            for _ in range(tensor.shape[1])
        ]
        together = self.joined([tensor for _, tensor in ids])
        sizes = [self.schema.vocabularies[each] for each in vocabularies]
        rows = FieldOffset(sizes, columns, name=f"{name}_rows")(together)
        table = self._embedding(
            name, vocabularies, dim or self._model.embedding_dim
        )
        vectors = table(rows, padding_mask=together >= 0)
        parts, start = [], 0
        for _, tensor in ids:
            end = start + tensor.shape[1]
            parts.append(vectors[:, start:end])
            start = end
        return parts

    def table(self, name: str = "embeddings", dim: int | None = None) -> Table:
        """Returns all columns looked up in one table, made at the first call.

        Args:
            name: string, the name of the table's layer.
            dim: integer. Length of its vectors. Defaults to `None`,
                `embedding_dim`.
        """
        if name not in self._tables:
            prefix = "" if name == "embeddings" else f"{name}_"
            vocabularies = list(self.schema.vocabularies)
            dim = dim or self._model.embedding_dim
            self._tables[name] = Table(
                self,
                self._embedding(name, vocabularies, dim),
                f"{prefix}rows",
            )
        table = self._tables[name]
        if dim not in (None, table.fields.shape[-1]):
            raise ValueError(
                f"`dim` must be that of the first call for the table '{name}', "
                f"{table.fields.shape[-1]}. Received: dim={dim}"
            )
        return table

    def linear(
        self,
        units: int | None = None,
        name: str = "linear",
        initializer: Any = "zeros",
        factors: Tensor | None = None,
    ) -> Tensor:
        """Returns the wide part: a weight for each id and each numeric column.

        `(batch, units)`. The ids' weights are a table that is never clipped;
        their L2 is the optimizer's. `linear_l2` is for the numeric columns.

        Args:
            units: integer, the number of sums, each with weights of its own.
                Defaults to `None`, one for each label.
            name: string, with which the names of its layers begin. Defaults to
                `"linear"`.
            initializer: Keras initializer of the ids' weights. Defaults to
                `"zeros"`.
            factors: `(batch, fields)`, which multiply the weights of the fields
                of `embeddings`, in their order. Defaults to `None`, none.
        """
        schema = self.schema
        units = len(schema.labels) if units is None else units
        sizes = schema.unshared_vocabularies
        self.vocabularies[f"{name}_embeddings"] = list(sizes)
        table = Table(
            self,
            CowClipEmbedding(
                sum(sizes.values()),
                units,
                clip=False,
                embeddings_initializer=initializer,
                name=f"{name}_embeddings",
            ),
            f"{name}_rows",
            shared=False,
        )
        weights = self._linear_fields(table)
        if factors is not None:
            names = [*schema.categorical, *schema.sequences]
            own = _in_order([factors], self.names, names)
            weights = weights * ops.expand_dims(own, axis=-1)
        logit = FieldSum(name=f"{name}_ids")(weights)
        if not schema.num_dense:
            return logit
        dense = self._linear_dense(units, name, factors)
        return keras.layers.Add(name=name)([logit, dense])

    def _linear_fields(self, table: Table) -> Tensor:
        if not table.sequences:
            return table.fields
        pooled = [
            ops.sum(events, axis=1, keepdims=True)
            for events in table.sequences.values()
        ]
        if self._model.linear_pooling == "mean":
            pooled = self._pooled(table, [*self.schema.sequences], {})
        return keras.layers.Concatenate(axis=1)([table.fields, *pooled])

    def _linear_dense(
        self, units: int, name: str, factors: Tensor | None
    ) -> Tensor:
        values, l2 = self.dense, self._model.linear_l2
        # With `dense="concat"` numeric columns have no factors.
        if factors is not None and self._model.dense == "embed":
            values = values * _in_order(
                [factors], self.names, self.schema.dense
            )
        return keras.layers.Dense(
            units,
            use_bias=False,
            kernel_initializer="glorot_normal",
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=f"{name}_dense",
        )(values)

    def mlp(
        self,
        inputs: Tensor | None = None,
        units: tuple[int, ...] | None = None,
        name: str | None = None,
        use_bias: bool = True,
        linear: Callable[[Tensor, int, int], Tensor] | None = None,
        **settings: Any,
    ) -> Tensor:
        """Returns a multilayer perceptron, `(batch, units[-1])`.

        Each layer is `dropout(activation(normalization(x W + b)))`.

        Args:
            inputs: `(batch, ...)`. Defaults to `None`, `flat`.
            units: integers, the width of each layer. Defaults to `None`, the
                model's `hidden_units`.
            name: string. Of the layers, for a second perceptron: they are then
                `<name>_hidden_1` and so on. Defaults to `None`.
            use_bias: boolean, whether layers have `b`. Defaults to `True`.
            linear: function that computes something else than `x W + b`, from
                the input, the number of the layer, from 1 on, and its width.
                Defaults to `None`.
            **settings: `activation`, `normalization` and `dropout`, where they
                are not the model's.
        """
        model = self._model
        x = self.flat if inputs is None else inputs
        units = model.hidden_units if units is None else units
        prefix = f"{name}_" if name else ""
        activation, dropout = (
            one_each(
                setting, settings.get(setting, getattr(model, setting)), units
            )
            for setting in ("activation", "dropout")
        )
        normalization = settings.get("normalization", model.normalization)
        for i, width in enumerate(units):
            layer = f"{prefix}{{}}_{i + 1}"
            rest = (activation[i], normalization, dropout[i])
            if linear is None:
                x = hidden_layer(x, width, layer, use_bias, *rest)
            else:
                x = after_linear(linear(x, i + 1, width), layer, *rest)
        return x

    def scores(
        self,
        inputs: Tensor,
        units: tuple[int, ...],
        name: str,
        output: str = "linear",
        use_bias: bool = True,
        **settings: Any,
    ) -> Tensor:
        """Returns a score of each event by a perceptron, `(batch, length)`.

        Args:
            inputs: `(batch, length, width)`.
            units: integers, the widths of its hidden layers.
            name: string, of the layers: `<name>_hidden_1` and so on, and last
                `<name>_score`.
            output: string, the activation of the score. Defaults to
                `"linear"`.
            use_bias: boolean, whether the score has a bias, which does not
                change a softmax. Defaults to `True`.
            **settings: as `mlp` takes them, but without one neither
                normalization nor dropout.
        """
        settings = {"normalization": None, "dropout": 0.0, **settings}
        hidden = self.mlp(inputs, units, name=name, **settings)
        score = self.output(hidden, f"{name}_score", use_bias, units=1)
        if output != "linear":
            score = keras.layers.Activation(output)(score)
        return ops.squeeze(score, axis=-1)

    def output(
        self,
        inputs: Tensor,
        name: str = "logit",
        use_bias: bool = False,
        units: int | None = None,
    ) -> Tensor:
        """Returns a linear output, `(batch, labels)`, before the model's bias.

        Args:
            inputs: `(batch, ..., width)`.
            name: string, the layer's name. Defaults to `"logit"`.
            use_bias: boolean, whether it has one. Defaults to `False`.
            units: integer, `1` for the part of one label, or a score of each
                event. Defaults to `None`, one for each label.
        """
        return keras.layers.Dense(
            len(self.schema.labels) if units is None else units,
            use_bias=use_bias,
            kernel_initializer="glorot_normal",
            name=name,
        )(inputs)

    def joined(self, parts: list[Tensor], name: str | None = None) -> Tensor:
        """Puts tensors side by side, `(batch, ..., sum of their widths)`.

        Args:
            parts: list of `(batch, ..., width)` tensors.
            name: string, the layer's name. Defaults to `None`, one that Keras
                gives.
        """
        if len(parts) == 1:
            return parts[0]
        return keras.layers.Concatenate(name=name)(parts)

    def keep(self, name: str, tensor: Tensor) -> None:
        """Hands a tensor to `CTRModel.extra_loss` while the model trains."""
        self.kept[name] = tensor

    def check_numeric_used(self) -> None:
        """Raises a `ValueError` if a network over fields ignores numbers."""
        model = self._model
        unused = self.schema.num_dense and not self._numeric_used
        if unused and type(model).DENSE == "embed":
            raise ValueError(
                f"`dense` of `{type(model).__name__}` must be 'embed' where "
                "there are numeric columns: the network reads fields alone and "
                "would ignore numbers that are no fields. Received: "
                f"dense={model.dense!r} with the columns {self.schema.dense}"
            )

    def _flat(self, embeddings: Tensor, name: str = "features") -> Tensor:
        flat = keras.layers.Flatten()(embeddings)
        if self._model.dense == "embed":
            return flat
        return keras.layers.Concatenate(name=name)([flat, self.dense])

    def _stacked(
        self,
        names: list[str],
        table: str,
        dim: int | None,
        vectors: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Returns columns of a table by their names, `(batch, names, dim)`.

        A sequence is its vector in `vectors`, or its mean.
        """
        schema = self.schema
        looked_up = self.table(table, dim)
        parts, available = [looked_up.fields], list(schema.categorical)
        if self._model.dense == "embed" and schema.num_dense:
            if table not in self._numeric:
                self._numeric[table] = NumericEmbedding(
                    looked_up.fields.shape[-1], name=f"numeric_{table}"
                )(self.dense)
            parts.insert(0, self._numeric[table])
            available = [*schema.dense, *available]
        sequences = [name for name in schema.sequences if name in names]
        parts += self._pooled(looked_up, sequences, vectors or {})
        available += sequences
        return _in_order(parts, available, names)

    def _look_up(self, columns: list[str], name: str, dim: int) -> Tensor:
        """Looks up the columns of `selected`."""
        schema = self.schema
        for column in columns:
            check_choice("field", column, [*schema.dense, *schema.categorical])
        numeric = [each for each in columns if each in schema.dense]
        fields = [each for each in columns if each in schema.categorical]
        parts = []
        if numeric:
            places = [schema.dense.index(each) for each in numeric]
            values = ops.take(self.dense, places, axis=1)
            parts.append(NumericEmbedding(dim, name=f"numeric_{name}")(values))
        if fields:
            places = [list(schema.categorical).index(each) for each in fields]
            ids = ops.take(self.inputs["ids"], places, axis=1)
            sizes = [schema.categorical[each] for each in fields]
            rows = FieldOffset(sizes, name=f"{name}_rows")(ids)
            parts.append(self._embedding(name, fields, dim)(rows))
        return _in_order(parts, [*numeric, *fields], columns)

    def _embedding(
        self, name: str, vocabularies: list[str], dim: int
    ) -> CowClipEmbedding:
        self.vocabularies[name] = vocabularies
        return CowClipEmbedding(
            sum(self.schema.vocabularies[each] for each in vocabularies),
            dim,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=self._model.embedding_deviation
            ),
            name=name,
        )

    def _pooled(
        self, table: Table, names: list[str], vectors: dict[str, Tensor]
    ) -> list[Tensor]:
        """Returns the vector of each sequence, `(batch, 1, embedding_dim)`."""
        pooled = [
            vectors[name]
            if name in vectors
            else MaskedMean()([table.sequences[name], self.mask(name)])
            for name in names
        ]
        return [ops.expand_dims(each, axis=1) for each in pooled]


def _in_order(
    parts: list[Tensor], available: list[str], names: list[str]
) -> Tensor:
    """Stacks columns, and takes those of `names` in their order."""
    stacked = parts[0]
    if len(parts) > 1:
        stacked = keras.layers.Concatenate(axis=1)(parts)
    if names == available:
        return stacked
    return ops.take(stacked, [available.index(name) for name in names], axis=1)
