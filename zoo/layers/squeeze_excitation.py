import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive

ACTIVATIONS = ("relu", "sigmoid")


@keras.saving.register_keras_serializable(package="zoo")
class SqueezeExcitation(keras.layers.Layer):
    """Scales each field by how much it matters beside the others.

    `a * v` with `a = activation(relu(z W1) W2)`, where `z` is the mean of each
    field's vector.

    Args:
        reduction_ratio: number, positive: `W1` is `fields / reduction_ratio`
            wide, and at least 1. Defaults to `3`.
        activation: string, `"relu"` or `"sigmoid"`. Defaults to `"relu"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        That of the input.

    Raises:
        ValueError: for an argument out of its range.

    Example:

    >>> SqueezeExcitation()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Huang et al., 2019](https://arxiv.org/abs/1905.09433), section 3.4.
    """

    def __init__(self, reduction_ratio=3, activation="relu", **kwargs):
        super().__init__(**kwargs)
        check_positive("reduction_ratio", reduction_ratio)
        check_choice("activation", activation, ACTIVATIONS)
        self.reduction_ratio = reduction_ratio
        self.activation = activation

    def build(self, input_shape):
        fields = input_shape[1]
        units = max(1, int(fields / self.reduction_ratio))
        self.squeeze = self.add_weight(
            shape=(fields, units), initializer="glorot_normal", name="squeeze"
        )
        self.excite = self.add_weight(
            shape=(units, fields), initializer="glorot_normal", name="excite"
        )

    def call(self, inputs):
        hidden = ops.relu(ops.matmul(ops.mean(inputs, axis=-1), self.squeeze))
        activate = ops.relu if self.activation == "relu" else ops.sigmoid
        scales = activate(ops.matmul(hidden, self.excite))
        return inputs * ops.expand_dims(scales, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "reduction_ratio": self.reduction_ratio,
            "activation": self.activation,
        }
