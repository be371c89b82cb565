import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer

RESIDUALS = ("concat", "sum")


@keras.saving.register_keras_serializable(package="zoo")
class FactorizedDense(keras.layers.Layer):
    """A dense layer that multiplies one half of its outputs by the other.

    With `h2, h1` the halves of `x W + b`: `[h2, h1 * h2]`, or `h2 + h1 * h2`.

    Args:
        units: integer, the width of the output; even for `"concat"`.
        residual: string. `"concat"` to put the half and the product side by
            side, or `"sum"` to add them. Defaults to `"concat"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, width)`.

    Output shape:
        `(batch, units)`.

    Raises:
        ValueError: for another `residual`, or `units` that have no half.

    Example:

    >>> FactorizedDense(6)(np.ones((2, 3), dtype="float32")).shape
    (2, 6)

    Reference:
    - [Zhu et al., 2023](https://doi.org/10.1145/3539618.3591988), section 3.2.
    """

    def __init__(self, units, residual="concat", **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_choice("residual", residual, RESIDUALS)
        if residual == "concat" and units % 2:
            raise ValueError(
                "`units` must be even where a half of them is put beside its "
                f"products. Received: units={units!r}"
            )
        self.units = units
        self.residual = residual

    def build(self, input_shape):
        units = self.units * (1 if self.residual == "concat" else 2)
        self.kernel = self.add_weight(
            shape=(input_shape[-1], units),
            initializer="glorot_normal",
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(units,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.kernel) + self.bias
        kept, factor = ops.split(outputs, 2, axis=-1)
        if self.residual == "sum":
            return kept + factor * kept
        return ops.concatenate([kept, factor * kept], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "residual": self.residual,
        }
