import keras
from keras import ops

from zoo.checks import check_choice
from zoo.layers.pairs import pairs_of

OUTPUTS = ("inner", "hadamard")


@keras.saving.register_keras_serializable(package="zoo")
class PairProducts(keras.layers.Layer):
    """Products of the vectors of each pair of fields.

    `<v_i, v_j>`, or `v_i * v_j` by element, for `i < j`: pairs are in the order
    (0, 1), (0, 2), ..., (1, 2), ... The layer has no weights.

    Args:
        output: string, `"inner"` for the inner products or `"hadamard"` for
            those by element. Defaults to `"inner"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, pairs)`, or `(batch, pairs, embedding_dim)` for `"hadamard"`,
        with `pairs = fields * (fields - 1) / 2`.

    Raises:
        ValueError: for another `output`, or fewer than two fields.

    Example:

    >>> vectors = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype="float32")
    >>> PairProducts()(vectors)  # [[11.0]]
    """

    def __init__(self, output="inner", **kwargs):
        super().__init__(**kwargs)
        check_choice("output", output, OUTPUTS)
        self.output_kind = output

    def build(self, input_shape):
        self.fields = input_shape[1]
        self.left, self.right = pairs_of(self.fields)

    def call(self, inputs):
        if self.output_kind == "hadamard":
            return ops.take(inputs, self.left, axis=1) * ops.take(
                inputs, self.right, axis=1
            )
        products = ops.matmul(inputs, ops.swapaxes(inputs, 1, 2))
        flat = ops.reshape(products, (-1, self.fields**2))
        return ops.take(flat, self.left * self.fields + self.right, axis=1)

    def compute_output_shape(self, input_shape):
        batch, fields, dim = input_shape
        pairs = (batch, fields * (fields - 1) // 2)
        return (*pairs, dim) if self.output_kind == "hadamard" else pairs

    def get_config(self):
        return {**super().get_config(), "output": self.output_kind}
