import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers.xavier import glorot_normal


@keras.saving.register_keras_serializable(package="zoo")
class GroupDense(keras.layers.Layer):
    """A linear layer for each group of the inputs, all in one product.

    `x[..., g, :] W_g + b_g`, with groups side by side in inputs and outputs.

    Args:
        units: integer, the width of a group's output.
        groups: integer, which must divide the width of the inputs.
        use_bias: boolean, whether there is `b`. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, length, groups * width)`.

    Output shape:
        `(batch, length, groups * units)`.

    Raises:
        ValueError: when it is built, if the groups do not divide the width.

    Example:

    >>> GroupDense(3, groups=2)(np.ones((2, 5, 8), dtype="float32")).shape
    (2, 5, 6)
    """

    def __init__(self, units, groups, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_positive_integer("groups", groups)
        check_boolean("use_bias", use_bias)
        self.units = units
        self.groups = groups
        self.use_bias = use_bias

    def build(self, input_shape):
        width, rest = divmod(input_shape[-1], self.groups)
        if rest:
            raise ValueError(
                "`groups` must divide the width of the inputs. Received: "
                f"groups={self.groups}, width={input_shape[-1]}"
            )
        self.kernel = self.add_weight(
            shape=(self.groups, width, self.units),
            initializer=glorot_normal(width, self.units),
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.groups, self.units),
                initializer="zeros",
                name="bias",
            )

    def call(self, inputs):
        length = inputs.shape[1]
        parts = ops.reshape(
            inputs, (-1, length, self.groups, self.kernel.shape[1])
        )
        outputs = ops.einsum("blgi,giu->blgu", parts, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return ops.reshape(outputs, (-1, length, self.groups * self.units))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.groups * self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "groups": self.groups,
            "use_bias": self.use_bias,
        }
