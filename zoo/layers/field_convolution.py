import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer

PADDINGS = ("same", "full")


@keras.saving.register_keras_serializable(package="zoo")
class FieldConvolution(keras.layers.Layer):
    """A convolution over neighbouring fields, in each dimension for itself.

    `outputs[f, d, c] = b_c + sum_{h, a} W_hac inputs[f + h - padding, d, a]`,
    where fields outside are 0.

    Args:
        filters: integer, the number of output channels `c`.
        height: integer, the number of fields that a kernel covers.
        padding: string, the rows of zeros around the fields: `"full"` for
            `height - 1` on both sides, or `"same"` for as many as keep the
            number of fields. Defaults to `"same"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, dim, channels)`.

    Output shape:
        `(batch, rows, dim, filters)`.

    Raises:
        ValueError: for an argument out of its range.

    Example:

    >>> fields = np.ones((2, 5, 4, 1), dtype="float32")
    >>> FieldConvolution(3, height=2, padding="full")(fields).shape
    (2, 6, 4, 3)

    Reference:
    - [Liu et al., 2015](https://doi.org/10.1145/2806416.2806603), section 3.1.
    """

    def __init__(self, filters, height, padding="same", **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("filters", filters)
        check_positive_integer("height", height)
        check_choice("padding", padding, PADDINGS)
        self.filters = filters
        self.height = height
        self.padding = padding
        self.around = {
            "full": (height - 1, height - 1),
            "same": ((height - 1) // 2, height // 2),
        }[padding]

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(self.height, 1, input_shape[-1], self.filters),
            # PyTorch's default for convolutions.
            initializer=keras.initializers.VarianceScaling(
                1 / 3, "fan_in", "uniform"
            ),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        padded = ops.pad(inputs, ((0, 0), self.around, (0, 0), (0, 0)))
        outputs = ops.conv(
            padded, self.kernel, padding="valid", data_format="channels_last"
        )
        return outputs + self.bias

    def compute_output_shape(self, input_shape):
        batch, rows, dim, _ = input_shape
        rows += sum(self.around) - self.height + 1
        return (batch, rows, dim, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "height": self.height,
            "padding": self.padding,
        }
