import keras
import numpy as np

from zoo.checks import is_positive_integer
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
    dropout: float,
    embedding_deviation: float,
    **sizes: int | tuple[int, ...],
) -> None:
    """Raises a `ValueError` that names the first argument out of its range."""
    if not isinstance(schema, FeatureSchema):
        raise ValueError(
            f"`schema` must be a `FeatureSchema`. Received: schema={schema!r}"
        )
    if not 0 <= dropout < 1:
        raise ValueError(
            f"`dropout` must be in [0, 1). Received: dropout={dropout}"
        )
    if not embedding_deviation > 0:
        raise ValueError(
            "`embedding_deviation` must be positive. "
            f"Received: embedding_deviation={embedding_deviation}"
        )
    for name, value in sizes.items():
        for size in value if isinstance(value, tuple | list) else (value,):
            # Keras' layers refuse integers of NumPy.
            if not isinstance(size, int) or not is_positive_integer(size):
                raise ValueError(
                    f"`{name}` must be made of positive integers. "
                    f"Received: {name}={value}"
                )
