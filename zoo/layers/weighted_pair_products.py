import math

import keras
from keras import ops

from zoo.checks import check_choice
from zoo.layers.pair_products import PairProducts
from zoo.layers.pairs import pairs_of

KERNELS = ("matrix", "vector", "scalar")


@keras.saving.register_keras_serializable(package="zoo")
class WeightedPairProducts(keras.layers.Layer):
    """Inner products of each pair of fields, with weights for each pair.

    `<v_i K_ij, v_j>` for `i < j`, where `K_ij` is a matrix, a vector on the
    diagonal of one, or a number. Pairs are in the order (0, 1), (0, 2), ...,
    (1, 2), ...

    Args:
        kernel: string, `"matrix"`, `"vector"` or `"scalar"`. Defaults to
            `"matrix"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, pairs)`, with `pairs = fields * (fields - 1) / 2`.

    Raises:
        ValueError: for another `kernel`, or fewer than two fields.

    Example:

    >>> vectors = np.ones((2, 3, 4), dtype="float32")
    >>> WeightedPairProducts("vector")(vectors).shape
    (2, 3)

    Reference:
    - [Qu et al., 2016](https://arxiv.org/abs/1611.00144), section 3.3: each is
      `<v_i v_j^T, K_ij>`, an outer product under a kernel.
    """

    def __init__(self, kernel="matrix", **kwargs):
        super().__init__(**kwargs)
        check_choice("kernel", kernel, KERNELS)
        self.kernel_kind = kernel
        self.products = PairProducts(dtype=self.dtype_policy)

    def build(self, input_shape):
        _, fields, dim = input_shape
        self.left, self.right = pairs_of(fields)
        pairs = len(self.left)
        # The limit of PyTorch's `xavier_uniform_`.
        limit = math.sqrt(6 / (dim * dim + pairs * dim))
        shape, initializer = {
            "matrix": (
                (pairs, dim, dim),
                keras.initializers.RandomUniform(-limit, limit),
            ),
            "vector": ((pairs, dim), "glorot_uniform"),
            "scalar": ((pairs, 1), "glorot_uniform"),
        }[self.kernel_kind]
        self.kernel = self.add_weight(
            shape=shape, initializer=initializer, name="kernel"
        )

    def call(self, inputs):
        if self.kernel_kind == "scalar":
            return self.products(inputs) * self.kernel[:, 0]
        first = ops.take(inputs, self.left, axis=1)
        if self.kernel_kind == "vector":
            first = first * self.kernel
        else:
            first = ops.einsum("bpd,pde->bpe", first, self.kernel)
        return ops.sum(first * ops.take(inputs, self.right, axis=1), axis=-1)

    def compute_output_shape(self, input_shape):
        batch, fields, _ = input_shape
        return (batch, fields * (fields - 1) // 2)

    def get_config(self):
        return {**super().get_config(), "kernel": self.kernel_kind}
