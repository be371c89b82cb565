import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class HashAgreement(keras.layers.Layer):
    """Counts the bits of a hash in which events agree with queries.

    Bit `i` of a vector `v` is whether `<v, r_i>` is positive; the directions
    `r_i` are drawn once, saved with the model, and not trained. The smaller
    the angle between two vectors, the more of their bits agree.

    Args:
        bits: integer, of one hash.
        num_hashes: integer, each with directions of its own. Defaults to `1`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the queries, `(batch, queries, dim)`, and the events,
        `(batch, length, dim)`.

    Output shape:
        `(batch, queries, num_hashes, length)`, in float32. No gradient passes.

    Example:

    >>> vectors = np.ones((2, 3, 4), dtype="float32")
    >>> HashAgreement(8)([vectors, vectors]).shape
    (2, 3, 1, 3)

    Reference:
    - [Chen et al., 2021](https://arxiv.org/abs/2108.04468)
    """

    def __init__(self, bits, num_hashes=1, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("bits", bits)
        check_positive_integer("num_hashes", num_hashes)
        self.bits = bits
        self.num_hashes = num_hashes

    def build(self, input_shape):
        dim = input_shape[0][-1]
        self.directions = self.add_weight(
            shape=(dim, self.num_hashes * self.bits),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="directions",
        )

    def call(self, inputs):
        queries, events = (self._signs(each) for each in inputs)
        products = ops.einsum("bqhi,blhi->bqhl", queries, events)
        # Each bit that agrees adds 1 to it, each other -1.
        return 0.5 * (ops.cast(products, "float32") + self.bits)

    def _signs(self, vectors):
        projected = ops.matmul(ops.stop_gradient(vectors), self.directions)
        ones = ops.ones_like(projected)
        signs = ops.where(projected > 0, ones, -ones)
        return ops.reshape(
            signs, (-1, vectors.shape[1], self.num_hashes, self.bits)
        )

    def compute_output_spec(self, inputs):
        queries, events = inputs
        shape = (*queries.shape[:2], self.num_hashes, events.shape[1])
        return keras.KerasTensor(shape, "float32")

    def get_config(self):
        return {
            **super().get_config(),
            "bits": self.bits,
            "num_hashes": self.num_hashes,
        }
