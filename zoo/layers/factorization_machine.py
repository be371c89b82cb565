import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class FactorizationMachine(keras.layers.Layer):
    """Second-order factorization machine: the sum of all pairwise dot products.

    `sum_{i<j} <v_i, v_j>`, computed in linear time as
    `0.5 * (sum((sum_i v_i)**2) - sum(v**2))`. The layer has no weights.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, 1)`.

    Example:

    >>> vectors = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype="float32")
    >>> FactorizationMachine()(vectors)  # [[11.0]]

    Reference:
    - [Rendle, 2010](https://doi.org/10.1109/ICDM.2010.127), equation 1.
    """

    def call(self, inputs):
        _, fields, dim = ops.shape(inputs)
        square_of_sum = ops.square(ops.sum(inputs, axis=1))
        # PyTorch sums one long axis faster than two axes.
        squares = ops.square(ops.reshape(inputs, (-1, fields * dim)))
        return 0.5 * (
            ops.sum(square_of_sum, axis=-1, keepdims=True)
            - ops.sum(squares, axis=-1, keepdims=True)
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)
