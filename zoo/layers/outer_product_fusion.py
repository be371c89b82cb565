import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class OuterProductFusion(keras.layers.Layer):
    """Weighted sums of the outer products of vectors with all fields.

    Each output `s` is a sum over all pairs of a field `v_f` and a vector
    `b_i`, `o_s = (W_s * sum_if a_ifs v_f^T b_i) h_s`, with the product by `W_s`
    by element. At first `a` and `h` are 1 and `W` is the identity, so that all
    outputs are the sum of the products `v_f * b_i`.

    Args:
        vectors: integer, the number of outputs.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the fields `v`, `(batch, fields, dim)`, and the vectors `b`,
        `(batch, inputs, dim)`.

    Output shape:
        `(batch, vectors, dim)`.

    Example:

    >>> fields = np.ones((2, 3, 4), dtype="float32")
    >>> OuterProductFusion(5)([fields, fields]).shape
    (2, 5, 4)

    Reference:
    - [Lang et al., 2021](https://doi.org/10.1145/3447548.3467133)
    """

    def __init__(self, vectors, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("vectors", vectors)
        self.vectors = vectors

    def build(self, input_shape):
        (_, fields, dim), (_, inputs, _) = input_shape
        self.pair_weights = self.add_weight(
            shape=(inputs, fields, self.vectors),
            initializer="ones",
            name="pair_weights",
        )
        self.mask = self.add_weight(
            shape=(self.vectors, dim, dim), initializer=_identities, name="mask"
        )
        self.projection = self.add_weight(
            shape=(self.vectors, dim), initializer="ones", name="projection"
        )

    def call(self, inputs):
        fields, vectors = inputs
        # The outer products would be `inputs * fields * dim * dim` numbers.
        kernel = self.mask * ops.expand_dims(self.projection, axis=1)
        projected = ops.einsum("bid,shd->bish", vectors, kernel)
        weighted = ops.einsum("bfh,ifs->bish", fields, self.pair_weights)
        return ops.sum(projected * weighted, axis=1)

    def compute_output_shape(self, input_shape):
        batch, _, dim = input_shape[0]
        return (batch, self.vectors, dim)

    def get_config(self):
        return {**super().get_config(), "vectors": self.vectors}


def _identities(shape, dtype=None):
    # Broadcasting would give PyTorch one identity in several places.
    return ops.tile(ops.eye(shape[-1], dtype=dtype), (shape[0], 1, 1))
