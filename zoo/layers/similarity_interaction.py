import keras
from keras import ops

from zoo.checks import check_boolean


@keras.saving.register_keras_serializable(package="zoo")
class SimilarityInteraction(keras.layers.Layer):
    """Mixes fields by their similarity.

    With similarities `s_ij` and a vector `p_ij` for each pair of fields,
    either a weight or the product `v_i * v_j`, by element: `s_ij p_ij` with
    `s_ij = <v_i, v_j>`, or pooled, `sum_j s_ij p_ij` with `s_ij = <v_i,
    v_j K>`.

    Args:
        products: boolean. `True` for `p_ij = v_i * v_j`, `False` for weights.
            Defaults to `False`.
        pooled: boolean, whether to sum over `j`. Defaults to `True`.
        residual: boolean, whether `v_i Q` is added to the sum. Defaults to
            `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        That of the input, or without pooling `(batch, fields, fields,
        embedding_dim)`.

    Raises:
        ValueError: for a residual without pooling.

    Example:

    >>> SimilarityInteraction()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Cheng and Xue, 2021](https://arxiv.org/abs/2105.05563)
    """

    def __init__(self, products=False, pooled=True, residual=False, **kwargs):
        super().__init__(**kwargs)
        check_boolean("products", products)
        check_boolean("pooled", pooled)
        check_boolean("residual", residual)
        if residual and not pooled:
            raise ValueError(
                "`residual` must be False without pooling: there is one for a "
                "field, none for a pair. Received: residual=True, pooled=False"
            )
        self.products = products
        self.pooled = pooled
        self.residual = residual

    def build(self, input_shape):
        _, fields, dim = input_shape
        if not self.products:
            self.weight = self.add_weight(
                shape=(fields, fields, dim), initializer="ones", name="weight"
            )
        if self.pooled:
            self.key_kernel = self._add_kernel("key_kernel", dim)
        if self.residual:
            self.residual_kernel = self._add_kernel("residual_kernel", dim)

    def call(self, inputs):
        keys = inputs
        if self.pooled:
            keys = ops.matmul(inputs, self.key_kernel)
        similarities = ops.matmul(inputs, ops.swapaxes(keys, 1, 2))
        if not self.pooled:
            return ops.expand_dims(similarities, -1) * self._pairs(inputs)
        if self.products:
            pooled = inputs * ops.matmul(similarities, inputs)
        else:
            by_field = ops.swapaxes(similarities, 0, 1)
            pooled = ops.swapaxes(ops.matmul(by_field, self.weight), 0, 1)
        if self.residual:
            pooled = pooled + ops.matmul(inputs, self.residual_kernel)
        return pooled

    def compute_output_shape(self, input_shape):
        batch, fields, dim = input_shape
        pairs = (batch, fields, fields, dim)
        return tuple(input_shape) if self.pooled else pairs

    def get_config(self):
        return {
            **super().get_config(),
            "products": self.products,
            "pooled": self.pooled,
            "residual": self.residual,
        }

    def _pairs(self, inputs):
        if not self.products:
            return self.weight
        return ops.expand_dims(inputs, 2) * ops.expand_dims(inputs, 1)

    def _add_kernel(self, name, dim):
        return self.add_weight(
            shape=(dim, dim), initializer="glorot_normal", name=name
        )
