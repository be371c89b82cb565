import keras
from keras import ops

from zoo.checks import check_positive_integer_or_none


@keras.saving.register_keras_serializable(package="zoo")
class CompressedPairs(keras.layers.Layer):
    """Inner products of the fields with a few mixes of them, side by side.

    `outputs[i, k] = <v_i, sum_j v_j Y[j, k]>`: the matrix of all inner products
    times a weight `Y`, without that matrix, so that the cost is linear in the
    number of fields.

    Args:
        rank: integer, the number of mixes, or `None` for all inner products
            `<v_i, v_j>`, without weights. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields * rank)`, or `(batch, fields * fields)`.

    Example:

    >>> CompressedPairs(2)(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 6)

    Reference:
    - [Zhang et al., 2024](https://arxiv.org/abs/2403.02545)
    """

    def __init__(self, rank=None, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer_or_none("rank", rank)
        self.rank = rank

    def build(self, input_shape):
        if self.rank is not None:
            self.kernel = self.add_weight(
                shape=(input_shape[1], self.rank),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                name="kernel",
            )

    def call(self, inputs):
        mixes = ops.swapaxes(inputs, 1, 2)
        if self.rank is not None:
            mixes = ops.matmul(mixes, self.kernel)
        size = inputs.shape[1] * mixes.shape[2]
        return ops.reshape(ops.matmul(inputs, mixes), (-1, size))

    def compute_output_shape(self, input_shape):
        batch, fields, _ = input_shape
        return (batch, fields * (self.rank or fields))

    def get_config(self):
        return {**super().get_config(), "rank": self.rank}
