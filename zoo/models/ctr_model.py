"""Holds all that the networks share: arguments, inputs, checks and files."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.checks import check_known
from zoo.layers import ClickProbability
from zoo.models.batch_features import Features
from zoo.models.network_arguments import check_arguments
from zoo.models.network_arguments import check_no_numpy_integers
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import save_to_preset
from zoo.runtime.default_policy import dtype_scope
from zoo.runtime.out_of_memory import explained_out_of_memory

Tensor = Any
# Attributes that `compile` and `build` set.
_OF_COMPILE = ("optimizer", "loss", "built")


class CTRModel(keras.Model):
    """The base class of the zoo's networks, and of yours.

    A subclass defines `logits`, which gets the columns of a batch as
    `zoo.models.batch_features.Features`. Its own arguments, if it has any, it
    keeps as attributes of their names before it calls `super().__init__`, and
    checks there. Inputs, tables, dtype, config, presets, growth, export and the
    checks of inputs are this class's.

    NumPy inputs to a call, `fit`, `evaluate`, `predict` and the `*_on_batch`
    forms are checked against the schema first: without the check, an id outside
    its vocabulary becomes NaN on JAX. Where training runs out of memory,
    `zoo.runtime.out_of_memory.OutOfMemoryError` says what to lower.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        embedding_dim: integer. Length of an id's embedding. Defaults to `10`.
        hidden_units: tuple of integers. Widths of the hidden layers. Defaults
            to `(400, 400, 400)`.
        dropout: float in `[0, 1)`, after every hidden layer, or a tuple with
            one for each. Defaults to `0.0`.
        linear_l2: float. L2 on the linear weights of the dense columns; the
            paper's recipe gives it the optimizer's `embedding_l2`. Defaults to
            `0.0`.
        embedding_deviation: float, positive. Standard deviation of the initial
            embeddings, drawn around 0. Defaults to `1e-2`, the paper's.
        dense: string. How numeric columns enter: `"concat"` as they are, beside
            the flat embeddings, or `"embed"` as fields, value times vector.
            Defaults to `None`, the network's own choice: `"concat"`, or
            `"embed"` in networks over fields alone.
        activation: string, of the hidden layers: a name that Keras knows,
            `"dice"` or `"prelu"`, or a tuple with one for each. Defaults to
            `"relu"`.
        normalization: `"batch"` or `"layer"`, before each activation, or
            `None`. Defaults to `None`.
        field_order: tuple of strings. The order of the fields, for networks
            with weights for each field or pair of fields: all fields,
            sequences, and with `dense="embed"` numeric columns. Defaults to
            `None`: numeric columns, fields, sequences.
        linear_pooling: string, `"mean"` or `"sum"`: what the linear part makes
            of the weights of a sequence's events. Defaults to `"mean"`.
        dtype: string or `keras.DTypePolicy`, such as `"mixed_bfloat16"`.
            Defaults to `None`, Keras' global policy.
        **kwargs: `name` and `trainable`, as `keras.Model` takes them.

    Input shape:
        Dict of arrays as `schema.inputs()` has them: `"dense"`
        `(batch, num_dense)` float32, `"ids"` `(batch, num_fields)` int32, and
        each sequence `(batch, max_length)` int32.

    Output shape:
        `(batch, 1)`, the probability of a click. With several labels a dict of
        them by label.

    Raises:
        ValueError: for an argument out of its range, or a schema that lacks
            what the network needs.

    Example:

    ```python
    @zoo.register_network("shop_tower")
    class Tower(zoo.CTRModel):
        def __init__(self, schema, *, first_units=64, **shared):
            self.first_units = first_units
            super().__init__(schema, **shared)

        def logits(self, x):
            tower = x.mlp(x.flat, (self.first_units, 32))
            return [x.linear(), x.output(tower)]

    model = Tower(zoo.FeatureSchema(["price"], {"site": 1000}), first_units=16)
    model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
    model.save_to_preset("presets/tower")
    ```
    """

    # How numeric columns enter, unless the argument `dense` says.
    DENSE = "concat"
    # The roles of columns that the schema must have.
    ROLES: tuple[str, ...] = ()
    # Whether it is made for several labels.
    SEVERAL_LABELS = False
    # The implementations whose logits are this network's, up to rounding.
    ORIGINALS: tuple[str, ...] = ()
    # Between which values `zoo.tune` varies which arguments, as its `params`.
    SEARCH_SPACE: Mapping[str, Any] = {"dropout": (0.0, 0.5)}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in cls.argument_defaults():
            own = name not in CTRModel.argument_defaults()
            if own and (hasattr(CTRModel, name) or name in _OF_COMPILE):
                raise ValueError(
                    f"An argument of `{cls.__name__}` must have a name that no "
                    "attribute of `keras.Model` and `zoo.CTRModel` has. "
                    f"Received: {name}"
                )

    def __init__(
        self,
        schema,
        embedding_dim=10,
        hidden_units=(400, 400, 400),
        dropout=0.0,
        linear_l2=0.0,
        embedding_deviation=1e-2,
        *,
        dense=None,
        activation="relu",
        normalization=None,
        field_order=None,
        linear_pooling="mean",
        dtype=None,
        **kwargs,
    ):
        dense = self.DENSE if dense is None else dense
        check_arguments(
            schema,
            dtype=dtype,
            linear_l2=linear_l2,
            dense=dense,
            activation=activation,
            normalization=normalization,
            field_order=field_order,
            linear_pooling=linear_pooling,
            embedding_dim=embedding_dim,
            hidden_units=hidden_units,
            dropout=dropout,
            embedding_deviation=embedding_deviation,
        )
        for role in self.ROLES:
            schema.columns_of(role)
        self.schema = schema
        self.embedding_dim = embedding_dim
        self.hidden_units = tuple(hidden_units)
        self.dropout = _tuple_of_list(dropout)
        self.linear_l2 = linear_l2
        self.embedding_deviation = embedding_deviation
        self.dense = dense
        self.activation = _tuple_of_list(activation)
        self.normalization = normalization
        self.field_order = _tuple_of_list(field_order)
        self.linear_pooling = linear_pooling
        check_known(
            f"Arguments of `{type(self).__name__}`",
            kwargs,
            [*self.argument_defaults(), "dtype", "name", "trainable"],
        )
        check_no_numpy_integers(self._arguments())
        with dtype_scope(dtype):
            features = Features(self)
            outputs = self.probabilities(features)
        features.check_numeric_used()
        if features.kept:
            outputs = {"probabilities": outputs, "kept": features.kept}
        with warnings.catch_warnings():
            # Layers of inputs may be called otherwise than their keys.
            warnings.filterwarnings("ignore", "When providing `inputs` as a")
            super().__init__(inputs=features.inputs, outputs=outputs, **kwargs)
        self._has_kept = bool(features.kept)
        self.vocabularies_of_tables = features.vocabularies
        # A Functional model drops it, and the config would lose it.
        self.dtype_policy = dtype

    def logits(self, x):
        """Lays the network out; to be defined by each network.

        Args:
            x: `zoo.models.batch_features.Features`, the columns of a batch.

        Returns:
            A `(batch, labels)` or `(batch, 1)` tensor, or a list of such to be
            summed. A network with a part for each label returns a dict from
            labels to either, each `(batch, 1)`.

        Raises:
            NotImplementedError: unless a subclass defines it.
            ValueError: in a network whose arguments do not fit the columns.

        Example:

        ```python
        class Tower(zoo.CTRModel):
            def logits(self, x):
                return [x.linear(), x.output(x.mlp(x.flat, (64, 32)))]
        ```
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `logits`, which lays the "
            "network out. Received: a class without it"
        )

    def probabilities(self, x):
        """Returns the sigmoid of the logits and a bias.

        Only a network whose output is no sum of logits defines it.

        Args:
            x: as in `logits`.

        Returns:
            `(batch, 1)`, or with several labels a dict of such.

        Raises:
            ValueError: if `logits` returned tensors of another shape.

        Example:

        ```python
        class Half(zoo.CTRModel):
            def probabilities(self, x):
                return 0.5 * keras.ops.sigmoid(x.output(x.mlp()))

        model = Half(zoo.FeatureSchema(["price"], {"site": 1000}))
        ```
        """
        return click_probabilities(self.logits(x), self.schema.labels)

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        """Returns what a network trains on beside the usual loss.

        It is called while the model trains, under stock `compile` and `fit`,
        if `logits` has handed over a tensor by `x.keep(name, tensor)`.

        Args:
            y: the labels of the batch, `(batch, 1)`, or a dict of such.
            probabilities: what the model predicts for it.
            kept: dict of the tensors that were kept.
            sample_weight: the weights of the rows, `(batch,)`, or a dict of
                such, in which a label that a row lacks has 0. Defaults to
                `None`, all 1.

        Returns:
            A scalar to add to the loss.

        Raises:
            NotImplementedError: unless a subclass defines it.

        Example:

        ```python
        class Small(zoo.CTRModel):
            def logits(self, x):
                deep = x.mlp()
                x.keep("deep", deep)
                return x.output(deep)

            def extra_loss(self, y, probabilities, kept, sample_weight=None):
                return 1e-3 * keras.ops.mean(keras.ops.square(kept["deep"]))
        ```
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `extra_loss`, because its "
            f"`logits` keeps tensors for it. Received: {sorted(kept)}"
        )

    def call(self, inputs, training=None, mask=None):
        outputs = super().call(inputs, training=training, mask=mask)
        # What is kept is for `compute_loss` alone.
        if self._has_kept and not training:
            return outputs["probabilities"]
        return outputs

    def compute_output_spec(self, inputs, training=None, mask=None):
        outputs = super().compute_output_spec(inputs, training, mask)
        return outputs["probabilities"] if self._has_kept else outputs

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        y_pred, kept = self._without_kept(y_pred)
        loss = super().compute_loss(
            x=x,
            y=y,
            y_pred=y_pred,
            sample_weight=sample_weight,
            training=training,
        )
        if not kept:
            return loss
        extra = self.extra_loss(y, y_pred, kept, sample_weight)
        if len(extra.shape):
            raise ValueError(
                f"`{type(self).__name__}.extra_loss` must return a scalar. "
                f"Received: shape {tuple(extra.shape)}"
            )
        return loss + ops.cast(extra, loss.dtype)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        y_pred, _ = self._without_kept(y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def __call__(self, inputs, *args, **kwargs):
        self._check(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def fit(self, x=None, *args, validation_data=None, **kwargs):
        self._check(x)
        if isinstance(validation_data, (tuple, list)):
            self._check(validation_data[0])
        with self._explained_out_of_memory():
            history = super().fit(
                x, *args, validation_data=validation_data, **kwargs
            )
            # JAX runs steps asynchronously and raises the error of a failed
            # one when its result is read: here, within the scope above.
            keras.ops.convert_to_numpy(self.optimizer.iterations)
            return history

    def evaluate(self, x=None, *args, **kwargs):
        self._check(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        self._check(x)
        return super().predict(x, *args, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        self._check(x)
        with self._explained_out_of_memory():
            return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        self._check(x)
        return super().test_on_batch(x, *args, **kwargs)

    def predict_on_batch(self, x):
        self._check(x)
        return super().predict_on_batch(x)

    def save_to_preset(self, folder, encoder=None, metadata=None):
        """Saves the model; see `zoo.save_to_preset`.

        Args:
            folder: path; made if absent.
            encoder: the `ClickEncoder` whose ids the model was trained on.
                Defaults to `None`.
            metadata: dict put into `metadata.json`. Defaults to `None`.

        Example:

        ```python
        model = zoo.DeepFM(zoo.FeatureSchema(["price"], {"site": 1000}))
        model.save_to_preset("presets/shop")
        ```
        """
        save_to_preset(self, folder, encoder, metadata)

    @classmethod
    def from_preset(cls, preset, load_weights=True, dtype=None, **hub):
        """Loads a model of this class; see `zoo.from_preset`.

        Args:
            preset: name of a built-in preset, path of a folder, or
                `"hf://user/repository"`.
            load_weights: boolean. `False` leaves them as the network draws
                them. Defaults to `True`.
            dtype: string or `keras.DTypePolicy`, instead of the one that was
                saved. Defaults to `None`.
            **hub: `revision`, `token` and `cache_dir`, for the Hub.

        Raises:
            FileNotFoundError: as `zoo.from_preset` does.
            ValueError: as `zoo.from_preset` does, and if the preset holds
                another network.

        Example:

        ```python
        model = zoo.DeepFM.from_preset("deepfm_synthetic")
        ```
        """
        opened = PresetFolder.open(preset, weights=load_weights, **hub)
        return opened.make_model(cls, load_weights, dtype)

    @classmethod
    def argument_defaults(cls):
        """Returns the arguments that make up a network's config.

        Those of its own and of this class, without `schema` and `dtype`, and
        for each its default.

        Example:

        >>> zoo.DCN.argument_defaults()["num_cross_layers"]
        3
        """
        defaults: dict[str, Any] = {}
        for each in cls.__mro__:
            if issubclass(each, CTRModel) and "__init__" in vars(each):
                parameters = inspect.signature(each.__init__).parameters
                for name, parameter in parameters.items():
                    if parameter.kind != parameter.VAR_KEYWORD and name not in (
                        "self",
                        "schema",
                        "dtype",
                    ):
                        defaults.setdefault(name, parameter.default)
        return {**defaults, "dense": cls.DENSE}

    def get_config(self):
        return {
            **self._arguments(),
            "schema": keras.saving.serialize_keras_object(self.schema),
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in ("schema", "dtype"):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(
                    config[name], custom_objects=custom_objects
                )
        return cls(**config)

    def _explained_out_of_memory(self):
        return explained_out_of_memory("This training", self.schema.num_ids)

    def _check(self, inputs):
        if isinstance(inputs, dict) and all(
            isinstance(array, np.ndarray) for array in inputs.values()
        ):
            self.schema.check(inputs)

    def _arguments(self):
        for name in self.argument_defaults():
            if not hasattr(self, name):
                raise ValueError(
                    f"`{type(self).__name__}` must keep its argument `{name}` "
                    "as an attribute of that name before it calls "
                    "`super().__init__`. Received: a model without it"
                )
        values = {
            name: getattr(self, name) for name in self.argument_defaults()
        }
        return {
            name: list(value) if isinstance(value, tuple | list) else value
            for name, value in values.items()
        }

    def _without_kept(self, y_pred):
        if (
            self._has_kept
            and isinstance(y_pred, dict)
            # A label may be called so, too, but then it is a tensor.
            and isinstance(y_pred.get("kept"), dict)
        ):
            return y_pred["probabilities"], y_pred["kept"]
        return y_pred, {}


def click_probabilities(logits, labels, use_bias=True):
    """Returns the sigmoid of logits and a bias for each label, in float32.

    Args:
        logits: what `CTRModel.logits` returns.
        labels: the names of the labels.
        use_bias: boolean, whether there is the bias. Defaults to `True`.

    Returns:
        `(batch, 1)`, or with several labels a dict of such.
    """
    if isinstance(logits, dict):
        if set(logits) != set(labels):
            raise ValueError(
                "`logits` as a dict must have the labels of the schema, "
                f"{list(labels)}. Received: {sorted(logits)}"
            )
        columns = [
            _total(logits[label], f"logits_{i}")
            for i, label in enumerate(labels)
        ]
        logits = keras.layers.Concatenate(dtype="float32", name="labels")(
            columns
        )
    total = _total(logits, "logits")
    if len(total.shape) != 2 or total.shape[-1] not in (1, len(labels)):
        raise ValueError(
            "`logits` must return tensors of shape (batch, 1), or a column for "
            f"each of the labels {list(labels)}. Received: shape {total.shape}"
        )
    if len(labels) > total.shape[-1]:
        total = ops.repeat(total, len(labels), axis=-1)
    probabilities = ClickProbability(use_bias, dtype="float32", name="click")(
        total
    )
    if len(labels) == 1:
        return probabilities
    return {
        label: probabilities[:, i : i + 1] for i, label in enumerate(labels)
    }


def _tuple_of_list(value):
    """Lists come from JSON; a model is the same if it was given a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _total(logits, name):
    if not isinstance(logits, list | tuple):
        return logits
    if len(logits) == 1:
        return logits[0]
    return keras.layers.Add(dtype="float32", name=name)(logits)
