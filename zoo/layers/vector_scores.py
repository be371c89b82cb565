import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class VectorScores(keras.layers.Layer):
    """One number for each vector: `relu(<u_p, v_p>)`.

    Each place `p` has a weight vector `u_p` of its own.

    Args:
        scores_initializer: Keras initializer of `u`. Defaults to `None`, a
            uniform one from 0 to 1.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, vectors, dim)`.

    Output shape:
        `(batch, vectors)`.

    Example:

    >>> VectorScores()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3)

    Reference:
    - [Zhang et al., 2019](https://arxiv.org/abs/1905.06336), equation 7.
    """

    def __init__(self, scores_initializer=None, **kwargs):
        super().__init__(**kwargs)
        self.scores_initializer = keras.initializers.get(scores_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=input_shape[1:],
            initializer=self.scores_initializer
            or keras.initializers.RandomUniform(0.0, 1.0),
            name="kernel",
        )

    def call(self, inputs):
        return ops.relu(ops.sum(inputs * self.kernel, axis=-1))

    def compute_output_shape(self, input_shape):
        return input_shape[:2]

    def get_config(self):
        return {
            **super().get_config(),
            "scores_initializer": keras.initializers.serialize(
                self.scores_initializer
            ),
        }
