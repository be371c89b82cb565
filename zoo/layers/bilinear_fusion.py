import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class BilinearFusion(keras.layers.Layer):
    """Joins two vectors by a bilinear form, in several heads.

    `sum_h x_h W_h y_h`, where `x_h` and `y_h` are the slices that the head `h`
    has of the two vectors.

    Args:
        num_heads: integer; it must divide the widths of both. Defaults to `1`.
        units: integer, the number of outputs. Defaults to `1`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `(batch, first_width)` and `(batch, second_width)`.

    Output shape:
        `(batch, units)`.

    Raises:
        ValueError: if the heads do not divide both widths.

    Example:

    >>> x = np.ones((2, 6), dtype="float32")
    >>> BilinearFusion(num_heads=3)([x, x]).shape
    (2, 1)

    Reference:
    - [Mao et al., 2023](https://arxiv.org/abs/2304.00902), section 3.3.
    """

    def __init__(self, num_heads=1, units=1, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("num_heads", num_heads)
        check_positive_integer("units", units)
        self.num_heads = num_heads
        self.units = units

    def build(self, input_shape):
        heads, widths = self.num_heads, [shape[-1] for shape in input_shape]
        if any(width % heads for width in widths):
            raise ValueError(
                "`num_heads` must divide the widths of both vectors, "
                f"{widths}. Received: num_heads={heads}"
            )
        first, second = (width // heads for width in widths)
        # That of PyTorch's matrix of a column for each unit.
        deviation = (2 / (heads * first * second + self.units)) ** 0.5
        self.kernel = self.add_weight(
            shape=(heads, first, self.units * second),
            initializer=keras.initializers.RandomNormal(stddev=deviation),
            name="kernel",
        )

    def call(self, inputs):
        heads, first, columns = self.kernel.shape
        second = columns // self.units
        left = ops.reshape(inputs[0], (-1, heads, first))
        right = ops.reshape(inputs[1], (-1, heads, 1, second))
        moved = ops.einsum("bhi,hij->bhj", left, self.kernel)
        moved = ops.reshape(moved, (-1, heads, self.units, second))
        return ops.sum(moved * right, axis=(1, 3))

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "units": self.units,
        }
