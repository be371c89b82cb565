import math
from typing import Any

import keras
import numpy as np

from zoo.checks import check_instance
from zoo.checks import check_not_negative
from zoo.checks import check_number
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.feature_schema import FeatureSchema
from zoo.presets.folder import PresetFolder
from zoo.presets.folder import write_preset
from zoo.runtime.out_of_memory import explained_out_of_memory


class CTRModel(keras.Model):
    """The base class of the zoo's networks, to be subclassed.

    A Functional model from `{"dense": (batch, num_dense) float32,
    "ids": (batch, num_fields) int32}` to the `(batch, 1)` click probability.
    A subclass lays the network out in its `__init__` from the pieces in
    `zoo.models.blocks` and hands over its inputs, its output and its own
    arguments, which become attributes and the config.

    NumPy inputs to a call, `fit`, `evaluate`, `predict` and the `*_on_batch`
    forms are checked against the schema first: without the check, an id outside
    its vocabulary becomes NaN on JAX. Where training runs out of memory,
    `zoo.runtime.out_of_memory.OutOfMemoryError` says what to lower.

    Args:
        inputs: dict of Keras inputs, `dense` and `ids`.
        outputs: Keras tensor, `(batch, 1)`.
        arguments: dict, the arguments of the subclass, `schema` among them.
        dtype: string, a dtype policy of Keras. Defaults to `None`, the global
            policy.
        **kwargs: `name` and `trainable`, as `keras.Model` takes them.

    Example:

    >>> schema = zoo.FeatureSchema(["price"], {"site": 1000})
    >>> isinstance(zoo.DeepFM(schema), zoo.CTRModel)
    True
    """

    def __init__(self, inputs, outputs, arguments, dtype=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        # A Functional model drops it, and the config would lose it.
        self.dtype_policy = dtype
        self._arguments = dict(arguments)
        self.schema = arguments["schema"]

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
        write_preset(self, folder, encoder, metadata)

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

    def get_config(self):
        schema = keras.saving.serialize_keras_object(self.schema)
        return {
            **self._arguments,
            "schema": schema,
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


def check_arguments(
    schema: FeatureSchema,
    *,
    dtype: Any,
    linear_l2: float,
    cross_l2: float = 0.0,
    **settings: Any,
) -> None:
    """Raises a `ValueError` that names the first argument out of its range.

    Args:
        schema, dtype, linear_l2, cross_l2: as the networks take them.
        **settings: what `check_settings` takes.
    """
    check_instance("schema", schema, FeatureSchema)
    check_not_negative("linear_l2", linear_l2)
    check_not_negative("cross_l2", cross_l2)
    check_dtype(dtype)
    check_settings(**settings)
    for name, value in settings.items():
        for size in value if isinstance(value, tuple | list) else (value,):
            if isinstance(size, np.integer):
                raise ValueError(
                    f"`{name}` must be made of `int`, for Keras' layers refuse "
                    f"integers of NumPy. Received: {name}={value!r}"
                )


def check_settings(
    *,
    embedding_dim: int,
    hidden_units: tuple[int, ...],
    dropout: float,
    embedding_deviation: float,
    **sizes: int,
) -> None:
    """Raises a `ValueError` unless a network can have these arguments."""
    check_positive_integer("embedding_dim", embedding_dim)
    check_positive_integers("hidden_units", hidden_units)
    check_number("dropout", dropout, "in [0, 1)", lambda x: 0 <= x < 1)
    check_number(
        "embedding_deviation",
        embedding_deviation,
        "that is positive and finite",
        lambda x: 0 < x < math.inf,
    )
    for name, value in sizes.items():
        check_positive_integer(name, value)


def check_dtype(dtype: Any) -> None:
    """Raises a `ValueError` unless Keras knows the dtype policy."""
    if dtype is None:
        return
    try:
        keras.dtype_policies.get(dtype)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "`dtype` must be a dtype policy of Keras, such as "
            f"'mixed_bfloat16'. Received: dtype={dtype!r}"
        ) from error
