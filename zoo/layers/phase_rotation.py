import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class PhaseRotation(keras.layers.Layer):
    """Makes complex numbers of vectors whose elements are angles.

    `mu_i * cos(v_i)` and `mu_i * sin(v_i)`, with a weight `mu_i` for each
    field, 1 at first.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        List of the real and the imaginary parts, both of the input's shape.

    Example:

    >>> angles = np.zeros((1, 1, 2), dtype="float32")
    >>> PhaseRotation()(angles)  # [[[[1.0, 1.0]]], [[[0.0, 0.0]]]]

    Reference:
    - [Tian et al., 2023](https://arxiv.org/abs/2304.10711)
    """

    def build(self, input_shape):
        self.modulus = self.add_weight(
            shape=(input_shape[1], 1), initializer="ones", name="modulus"
        )

    def call(self, inputs):
        return [self.modulus * ops.cos(inputs), self.modulus * ops.sin(inputs)]

    def compute_output_shape(self, input_shape):
        return [input_shape, input_shape]
