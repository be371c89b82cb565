import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class PairDense(keras.layers.Layer):
    """Dense layers, one for each pair: `activation(norm(x_p W_p + b_p))`.

    The normalization is over the units of all pairs together, for the few units
    of one pair would say little; its scale and shift are shared by the pairs.

    Args:
        units: integer, the width of a pair's layer.
        activation: string, a name that Keras knows. Defaults to `None`.
        normalize: boolean, whether it normalizes. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, pairs, dim)`.

    Output shape:
        `(batch, pairs, units)`.

    Raises:
        ValueError: if an argument is not of its kind.

    Example:

    >>> PairDense(5)(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 5)

    Reference:
    - [Qu et al., 2018](https://arxiv.org/abs/1807.00311), and the
      [authors' code](https://github.com/Atomu2014/product-nets-distributed).
    """

    def __init__(self, units, activation=None, normalize=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_boolean("normalize", normalize)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.normalize = normalize

    def build(self, input_shape):
        _, pairs, dim = input_shape
        self.kernel = self.add_weight(
            shape=(pairs, dim, self.units),
            initializer=keras.initializers.RandomNormal(
                stddev=(2 / (dim + self.units)) ** 0.5
            ),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(pairs, self.units), initializer="zeros", name="bias"
        )
        if self.normalize:
            self.scale = self.add_weight(
                shape=(self.units,), initializer="ones", name="scale"
            )
            self.shift = self.add_weight(
                shape=(self.units,), initializer="zeros", name="shift"
            )

    def call(self, inputs):
        x = ops.einsum("bpi,piu->bpu", inputs, self.kernel) + self.bias
        if self.normalize:
            mean, variance = ops.moments(
                ops.cast(x, "float32"), axes=(1, 2), keepdims=True
            )
            deviation = ops.cast(ops.rsqrt(variance + 1e-5), x.dtype)
            x = (x - ops.cast(mean, x.dtype)) * deviation
            x = x * self.scale + self.shift
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "normalize": self.normalize,
        }
