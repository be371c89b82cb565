import keras
from keras import ops

from zoo.checks import check_boolean


@keras.saving.register_keras_serializable(package="zoo")
class FieldCross(keras.layers.Layer):
    """One cross layer over fields: each times a mix of all first fields.

    `x_next[i] = x[i] * sum_j W[j, i] x0[j] + u_i * x[i]` by element, where
    DCN's layers mix the elements of all fields. Stack layers by passing the
    first input again.

    Args:
        scaled: boolean, whether there are weights `u`, 1 at first. Defaults to
            `False`, all 1.
        kernel_initializer: Keras initializer of `W`. Defaults to
            `"glorot_normal"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x0` and `x`, both `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields, embedding_dim)`.

    Example:

    >>> x0 = np.ones((2, 3, 4), dtype="float32")
    >>> FieldCross()([x0, x0]).shape
    (2, 3, 4)

    Reference:
    - [Zhao et al., 2021](https://arxiv.org/abs/2107.01999)
    - [Yan and Li, 2020](https://arxiv.org/abs/2301.01089)
    """

    def __init__(
        self, scaled=False, kernel_initializer="glorot_normal", **kwargs
    ):
        super().__init__(**kwargs)
        check_boolean("scaled", scaled)
        self.scaled = scaled
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        fields = input_shape[0][1]
        self.kernel = self.add_weight(
            shape=(fields, fields),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        if self.scaled:
            self.scale = self.add_weight(
                shape=(fields, 1), initializer="ones", name="scale"
            )

    def call(self, inputs):
        first, current = inputs
        mixed = ops.matmul(ops.transpose(self.kernel), first)
        return current * (mixed + (self.scale if self.scaled else 1.0))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "scaled": self.scaled,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }
