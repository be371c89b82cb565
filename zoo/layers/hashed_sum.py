import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.layers.hash_agreement import HashAgreement


@keras.saving.register_keras_serializable(package="zoo")
class HashedSum(keras.layers.Layer):
    """Sum of the events that fall into the target's bucket of a hash.

    An event is in it if its bits, those of `HashAgreement`, are the target's.
    With several hashes the sums' mean.

    Args:
        bits: integer, of one hash; the more, the fewer events.
        num_hashes: integer. Defaults to `1`.
        normalized: boolean, whether each sum is divided by its length. Defaults
            to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the target, `(batch, dim)`, the events, `(batch, length, dim)`,
        and the mask, `(batch, length)` booleans, `False` for padding.

    Output shape:
        `(batch, dim)`.

    Example:

    >>> target = np.ones((2, 4), dtype="float32")
    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> mask = np.ones((2, 3), dtype="bool")
    >>> HashedSum(8)([target, events, mask])  # 3.0 everywhere

    Reference:
    - [Cao et al., 2022](https://arxiv.org/abs/2205.10249)
    """

    def __init__(self, bits, num_hashes=1, normalized=False, **kwargs):
        super().__init__(**kwargs)
        check_boolean("normalized", normalized)
        self.agreement = HashAgreement(
            bits, num_hashes, dtype=self.dtype_policy, name="hash"
        )
        self.normalized = normalized

    def build(self, input_shape):
        (batch, dim), events, _ = input_shape
        self.agreement.build([(batch, 1, dim), events])

    def call(self, inputs):
        target, events, mask = inputs
        agreement = self.agreement([target[:, None], events])[:, 0]
        same = ops.logical_and(
            agreement > self.agreement.bits - 0.5, mask[:, None]
        )
        sums = ops.einsum("bhl,bld->bhd", ops.cast(same, events.dtype), events)
        if self.normalized:
            sums = _normalized(sums)
        return ops.mean(sums, axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "bits": self.agreement.bits,
            "num_hashes": self.agreement.num_hashes,
            "normalized": self.normalized,
        }


def _normalized(vectors):
    """Vectors of length 1, and zero where they are (almost) zero."""
    values = ops.cast(vectors, "float32")
    squares = ops.sum(ops.square(values), axis=-1, keepdims=True)
    # The root of 0 has no derivative.
    positive = squares > 1e-24
    lengths = ops.sqrt(ops.where(positive, squares, ops.ones_like(squares)))
    values = ops.where(positive, values / lengths, ops.zeros_like(values))
    return ops.cast(values, vectors.dtype)
