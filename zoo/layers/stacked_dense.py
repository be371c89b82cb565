import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers.xavier import xavier_normal


@keras.saving.register_keras_serializable(package="zoo")
class StackedDense(keras.layers.Layer):
    """Several linear layers of the same widths, as one product.

    `outputs[:, s] = x_s W_s + b_s` for each `s` of the stack, where `x_s` is
    the input, the same for all, or the one that belongs to `s`.

    Args:
        stack: integer, the number of linear layers.
        units: integer, the width of each.
        use_bias: boolean, whether there are `b`. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, inputs)`, or `(batch, stack, inputs)` for one each.

    Output shape:
        `(batch, stack, units)`.

    Raises:
        ValueError: if the inputs are of another number than `stack`.

    Example:

    >>> StackedDense(3, 4)(np.ones((2, 5), dtype="float32")).shape
    (2, 3, 4)
    """

    def __init__(self, stack, units, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("stack", stack)
        check_positive_integer("units", units)
        check_boolean("use_bias", use_bias)
        self.stack = stack
        self.units = units
        self.use_bias = use_bias

    def build(self, input_shape):
        if len(input_shape) == 3 and input_shape[1] != self.stack:
            raise ValueError(
                f"`StackedDense` needs an input for each of {self.stack}, or "
                f"one for all. Received: shape {tuple(input_shape)}"
            )
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(self.stack, inputs, self.units),
            # Each is drawn as if it were alone.
            initializer=xavier_normal((self.units, inputs)),
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.stack, self.units), initializer="zeros", name="bias"
            )

    def call(self, inputs):
        letters = "bi" if len(inputs.shape) == 2 else "bsi"
        outputs = ops.einsum(f"{letters},sio->bso", inputs, self.kernel)
        return outputs + self.bias if self.use_bias else outputs

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.stack, self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "stack": self.stack,
            "units": self.units,
            "use_bias": self.use_bias,
        }
