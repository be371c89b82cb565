import keras
from keras import ops

from zoo.layers.factorization_machine import FactorizationMachine


@keras.saving.register_keras_serializable(package="zoo")
class LorentzPairs(keras.layers.Layer):
    """Sums how far pairs of fields break the triangle inequality.

    Fields are points `(u_i, v_i)` of a hyperboloid, `u_i = sqrt(1 + |v_i|^2)`,
    and the sum is that of `(1 - <i, j> - u_i - u_j) / (u_i u_j)` over `i < j`,
    with the Lorentzian product `<i, j> = <v_i, v_j> - u_i u_j`. As it is
    `(1 - 1/u_i) (1 - 1/u_j) - <v_i / u_i, v_j / u_j>` for a pair, it takes
    linear time like a factorization machine. The layer has no weights.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, 1)`.

    Example:

    >>> vectors = np.array([[[0.0], [1.0]]], dtype="float32")
    >>> LorentzPairs()(vectors)  # [[0.0]]

    Reference:
    - [Xu and Wu, 2020](https://arxiv.org/abs/1911.09821), section 3.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.products = FactorizationMachine(dtype=self.dtype_policy)

    def build(self, input_shape):
        self.products.build(input_shape)

    def call(self, inputs):
        squares = ops.sum(ops.square(inputs), axis=-1)
        heights = ops.sqrt(1 + squares)
        # (u - 1) / u loses all digits of a short vector.
        rises = squares / (heights * (heights + 1))
        slopes = inputs / heights[..., None]
        return self.products(rises[..., None]) - self.products(slopes)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)
