import keras
from keras import ops

from zoo.checks import check_choice
from zoo.layers.pair_products import OUTPUTS
from zoo.layers.pairs import pairs_of


@keras.saving.register_keras_serializable(package="zoo")
class FieldAwarePairs(keras.layers.Layer):
    """Products of pairs of fields, each with the vector that faces the other.

    A field has a vector for each other one: `v_i^j` faces field `j`. The layer
    gives `<v_i^j, v_j^i>`, or `v_i^j * v_j^i` by element, for `i < j`: pairs
    are in the order (0, 1), (0, 2), ..., (1, 2), ... It has no weights.

    Args:
        output: string, `"inner"` for the inner products or `"hadamard"` for
            those by element. Defaults to `"inner"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, fields - 1, embedding_dim)`. At `[:, i, k]` is the
        vector of field `i` that faces field `k`, or `k + 1` from `k = i` on.

    Output shape:
        `(batch, pairs)`, or `(batch, pairs, embedding_dim)` for `"hadamard"`,
        with `pairs = fields * (fields - 1) / 2`.

    Raises:
        ValueError: for another `output`, fewer than two fields, or another
            number of vectors.

    Example:

    >>> FieldAwarePairs()(np.ones((2, 3, 2, 4), dtype="float32")).shape
    (2, 3)

    Reference:
    - [Juan et al., 2016](https://doi.org/10.1145/2959100.2959134), section 3.
    """

    def __init__(self, output="inner", **kwargs):
        super().__init__(**kwargs)
        check_choice("output", output, OUTPUTS)
        self.output_kind = output

    def build(self, input_shape):
        _, fields, vectors, _ = input_shape
        first, second = pairs_of(fields)
        if vectors != fields - 1:
            raise ValueError(
                "A field must have a vector for each other field, "
                f"{fields - 1}. Received: shape {tuple(input_shape)}"
            )
        self.left = first * vectors + second - 1
        self.right = second * vectors + first

    def call(self, inputs):
        _, fields, vectors, dim = inputs.shape
        flat = ops.reshape(inputs, (-1, fields * vectors, dim))
        products = ops.take(flat, self.left, axis=1) * ops.take(
            flat, self.right, axis=1
        )
        if self.output_kind == "hadamard":
            return products
        return ops.sum(products, axis=-1)

    def compute_output_shape(self, input_shape):
        batch, fields, vectors, dim = input_shape
        pairs = (batch, fields * vectors // 2)
        return (*pairs, dim) if self.output_kind == "hadamard" else pairs

    def get_config(self):
        return {**super().get_config(), "output": self.output_kind}
