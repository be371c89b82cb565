import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class BiInteraction(keras.layers.Layer):
    """The sum of the products by element of all pairs of vectors.

    `sum_{i<j} v_i * v_j`, computed in linear time as
    `0.5 * ((sum_i v_i)**2 - sum_i v_i**2)`. The layer has no weights.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, embedding_dim)`.

    Example:

    >>> vectors = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype="float32")
    >>> BiInteraction()(vectors)  # [[3.0, 8.0]]

    Reference:
    - [He & Chua, 2017](https://arxiv.org/abs/1708.05027), equation 4.
    """

    def call(self, inputs):
        square_of_sum = ops.square(ops.sum(inputs, axis=1))
        return 0.5 * (square_of_sum - ops.sum(ops.square(inputs), axis=1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])
