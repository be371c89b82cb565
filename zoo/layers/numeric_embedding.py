import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class NumericEmbedding(keras.layers.Layer):
    """Makes fields of numeric columns: value times the column's vector.

    `outputs[:, k] = inputs[:, k] * embeddings[k]`.

    Args:
        embedding_dim: integer. Length of a vector.
        embeddings_initializer: Keras initializer. Defaults to `None`, a normal
            one of standard deviation `sqrt(2 / (1 + embedding_dim))`, that of a
            Glorot normal layer from 1 to `embedding_dim`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, num_dense)`.

    Output shape:
        `(batch, num_dense, embedding_dim)`.

    Example:

    >>> NumericEmbedding(4)(np.ones((2, 3), dtype="float32")).shape
    (2, 3, 4)
    """

    def __init__(self, embedding_dim, embeddings_initializer=None, **kwargs):
        super().__init__(**kwargs)
        self.embedding_dim = embedding_dim
        self.embeddings_initializer = keras.initializers.get(
            embeddings_initializer
        )

    def build(self, input_shape):
        deviation = (2 / (1 + self.embedding_dim)) ** 0.5
        self.embeddings = self.add_weight(
            shape=(input_shape[-1], self.embedding_dim),
            initializer=self.embeddings_initializer
            or keras.initializers.RandomNormal(stddev=deviation),
            name="embeddings",
        )

    def call(self, inputs):
        return ops.expand_dims(inputs, axis=-1) * self.embeddings

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.embedding_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
