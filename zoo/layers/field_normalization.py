import keras


@keras.saving.register_keras_serializable(package="zoo")
class FieldNormalization(keras.layers.Layer):
    """Normalizes the vector of each field, with scales of its own.

    `(v_i - mean(v_i)) / sqrt(variance(v_i) + epsilon) * gamma_i + beta_i`,
    where `gamma_i` and `beta_i` are vectors of the field `i`.

    Args:
        epsilon: float. Added to the variance. Defaults to `1e-5`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        That of the input.

    Example:

    >>> FieldNormalization()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Wang et al., 2021](https://arxiv.org/abs/2102.07619), section 3.3.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.norm = keras.layers.LayerNormalization(
            epsilon=epsilon,
            center=False,
            scale=False,
            dtype=self.dtype_policy,
            name="norm",
        )

    def build(self, input_shape):
        self.norm.build(input_shape)
        shape = input_shape[1:]
        self.gamma = self.add_weight(
            shape=shape, initializer="ones", name="gamma"
        )
        self.beta = self.add_weight(
            shape=shape, initializer="zeros", name="beta"
        )

    def call(self, inputs):
        return self.norm(inputs) * self.gamma + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
