import keras
from keras import ops

from zoo.layers.pairs import pairs_of
from zoo.layers.xavier import xavier_normal


@keras.saving.register_keras_serializable(package="zoo")
class SymmetricPairs(keras.layers.Layer):
    """Products of pairs of fields by a symmetric matrix for each pair.

    `v_i (W_ij + W_ij^T) v_j` for `i < j`: pairs are in the order (0, 1),
    (0, 2), ..., (1, 2), ...

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, pairs)`, with `pairs = fields * (fields - 1) / 2`.

    Raises:
        ValueError: for fewer than two fields.

    Example:

    >>> SymmetricPairs()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3)

    Reference:
    - [Pande, 2020](https://arxiv.org/abs/2009.09931), section 3.
    """

    def build(self, input_shape):
        _, fields, dim = input_shape
        self.left, self.right = pairs_of(fields)
        shape = (len(self.left), dim, dim)
        self.kernel = self.add_weight(
            shape=shape,
            initializer=xavier_normal(shape),
            name="kernel",
        )

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel, dtype=self.compute_dtype)
        symmetric = kernel + ops.swapaxes(kernel, 1, 2)
        left = ops.take(inputs, self.left, axis=1)
        right = ops.take(inputs, self.right, axis=1)
        weighted = ops.einsum("bpd,pde->bpe", left, symmetric)
        return ops.sum(weighted * right, axis=-1)

    def compute_output_shape(self, input_shape):
        batch, fields, _ = input_shape
        return (batch, fields * (fields - 1) // 2)
