import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class SelfWeightedSum(keras.layers.Layer):
    """A sum of vectors, each weighted by a score that it gives itself.

    `sum_u softmax_u(<u Q, u K> / sqrt(dim)) u V` over the vectors `u`.

    Input shape:
        `(batch, vectors, dim)`.

    Output shape:
        `(batch, dim)`.

    Example:

    >>> SelfWeightedSum()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 4)

    Reference:
    - [Xi et al., 2021](https://arxiv.org/abs/2105.08489), equations 4 and 5.
    """

    def build(self, input_shape):
        dim = input_shape[-1]
        self.query_kernel, self.key_kernel, self.value_kernel = (
            self.add_weight(
                shape=(dim, dim),
                initializer="glorot_normal",
                name=f"{name}_kernel",
            )
            for name in ("query", "key", "value")
        )

    def call(self, inputs):
        query = ops.matmul(inputs, self.query_kernel)
        key = ops.matmul(inputs, self.key_kernel)
        scores = ops.sum(query * key, axis=-1) / math.sqrt(inputs.shape[-1])
        weights = ops.softmax(scores, axis=-1)
        # The sum first: there is then one product with V.
        return ops.matmul(
            ops.einsum("bu,bud->bd", weights, inputs), self.value_kernel
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
