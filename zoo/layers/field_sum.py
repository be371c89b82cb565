import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class FieldSum(keras.layers.Layer):
    """Sums over the fields: `outputs = sum_f inputs[:, f]`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, embedding_dim)`.

    Example:

    >>> FieldSum()(np.array([[[1.0], [2.0]]], dtype="float32"))  # [[3.0]]
    """

    def call(self, inputs):
        return ops.sum(inputs, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])
