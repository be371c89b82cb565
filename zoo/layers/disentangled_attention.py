import keras
from keras import ops

from zoo.layers.field_self_attention import FieldSelfAttention


@keras.saving.register_keras_serializable(package="zoo")
class DisentangledAttention(FieldSelfAttention):
    """Self-attention that tells a field's own weight from that of a pair.

    The weights of the mean are `softmax((q - mean(q)) (k - mean(k))^T)`, with
    means over the fields, plus `softmax(x U)` over the fields, one number a
    head: they sum to 2. All else is `FieldSelfAttention`.

    Args:
        units: integer, the width of the output: all heads together.
        num_heads: integer. Defaults to `1`.
        **kwargs: arguments of `zoo.layers.FieldSelfAttention`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields, units)`.

    Example:

    >>> attention = DisentangledAttention(8, num_heads=2, use_bias=True)
    >>> attention(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 8)

    Reference:
    - [Xu et al., 2021](https://arxiv.org/abs/2101.03654)
    """

    def build(self, input_shape):
        super().build(input_shape)
        # A bias would be the same for all fields, which a softmax ignores.
        self.unary_kernel = self.add_weight(
            shape=(input_shape[-1], self.num_heads),
            initializer="glorot_normal",
            name="unary_kernel",
        )

    def attention_weights(self, query, key, inputs):
        pairs = super().attention_weights(
            query - ops.mean(query, axis=2, keepdims=True),
            key - ops.mean(key, axis=2, keepdims=True),
            inputs,
        )
        unary = ops.softmax(ops.matmul(inputs, self.unary_kernel), axis=1)
        unary = ops.swapaxes(unary, 1, 2)
        return pairs + ops.expand_dims(unary, axis=2)
