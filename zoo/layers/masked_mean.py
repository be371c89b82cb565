import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class MaskedMean(keras.layers.Layer):
    """Mean of the events of a sequence, without its padding.

    `sum over events of vector / number of events`; zero where there is none.

    Input shape:
        List of the vectors, `(batch, length, embedding_dim)`, and the mask,
        `(batch, length)` booleans, `False` for padding.

    Output shape:
        `(batch, embedding_dim)`.

    Example:

    >>> vectors = np.array([[[1.0], [3.0], [9.0]]], dtype="float32")
    >>> MaskedMean()([vectors, np.array([[True, True, False]])])  # [[2.0]]
    """

    def call(self, inputs):
        vectors, mask = inputs
        weights = ops.cast(ops.expand_dims(mask, axis=-1), vectors.dtype)
        events = ops.maximum(ops.sum(weights, axis=1), 1)
        return ops.sum(vectors * weights, axis=1) / events

    def compute_output_shape(self, input_shape):
        batch, _, embedding_dim = input_shape[0]
        return (batch, embedding_dim)
