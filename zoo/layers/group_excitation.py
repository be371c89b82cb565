import keras
from keras import ops

from zoo.checks import check_positive
from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class GroupExcitation(keras.layers.Layer):
    """Scales each number of the fields by what all fields hold.

    `a * v + v` with `a = relu(z W1) W2`, a factor for each number of the
    fields' vectors. Each vector is cut into slices; `z` has the mean and the
    maximum of each slice.

    Args:
        num_groups: integer, of slices; it must divide the vectors' length.
            Defaults to `2`.
        reduction_ratio: number, positive: `W1` is as wide as `z` divided by it,
            and at least 1. Defaults to `3`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        That of the input.

    Raises:
        ValueError: for an argument out of its range, or slices that do not
            divide the vectors.

    Example:

    >>> GroupExcitation()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Zhang et al., 2022](https://arxiv.org/abs/2209.05016), section 3.3.
    """

    def __init__(self, num_groups=2, reduction_ratio=3, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("num_groups", num_groups)
        check_positive("reduction_ratio", reduction_ratio)
        self.num_groups = num_groups
        self.reduction_ratio = reduction_ratio

    def build(self, input_shape):
        _, fields, dim = input_shape
        if dim % self.num_groups:
            raise ValueError(
                "`num_groups` must divide the length of an embedding, "
                f"{dim}. Received: num_groups={self.num_groups}"
            )
        squeezed = 2 * fields * self.num_groups
        units = max(1, int(squeezed / self.reduction_ratio))
        self.squeeze = self.add_weight(
            shape=(squeezed, units), initializer="glorot_normal", name="squeeze"
        )
        self.excite = self.add_weight(
            shape=(units, fields * dim),
            initializer="glorot_normal",
            name="excite",
        )

    def call(self, inputs):
        _, fields, dim = inputs.shape
        groups = self.num_groups
        slices = ops.reshape(inputs, (-1, fields * groups, dim // groups))
        squeezed = ops.concatenate(
            [ops.mean(slices, axis=-1), ops.max(slices, axis=-1)], axis=-1
        )
        hidden = ops.relu(ops.matmul(squeezed, self.squeeze))
        scales = ops.matmul(hidden, self.excite)
        return inputs * ops.reshape(scales, (-1, fields, dim)) + inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_groups": self.num_groups,
            "reduction_ratio": self.reduction_ratio,
        }
