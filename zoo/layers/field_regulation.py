import keras
from keras import ops

from zoo.checks import check_positive


@keras.saving.register_keras_serializable(package="zoo")
class FieldRegulation(keras.layers.Layer):
    """Scales fields by learned shares that add up to 1.

    `a_i * v_i` with `a = softmax(gate / temperature)` over the fields, the
    same for all rows.

    Args:
        temperature: number, positive; the higher, the more alike the shares.
            Defaults to `1`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        That of the input.

    Raises:
        ValueError: for a temperature out of its range.

    Example:

    >>> FieldRegulation()(np.ones((2, 4, 3), dtype="float32"))  # 0.25

    Reference:
    - [Chen et al., 2021](https://doi.org/10.1145/3459637.3481915), section
      3.4.
    """

    def __init__(self, temperature=1, **kwargs):
        super().__init__(**kwargs)
        check_positive("temperature", temperature)
        self.temperature = temperature

    def build(self, input_shape):
        self.gate = self.add_weight(
            shape=(input_shape[1], 1), initializer="ones", name="gate"
        )

    def call(self, inputs):
        return inputs * ops.softmax(self.gate / self.temperature, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
