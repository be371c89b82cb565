import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class MaskedSum(keras.layers.Layer):
    """Sum of the events of a sequence, each times a weight.

    `sum over events of weight * vector`, zero where there is none. The weights
    are the scores, or `exp(score) / sum over events of exp(score)`.

    Args:
        softmax: boolean, whether weights are the softmax of the scores.
            Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the vectors, `(batch, length, width)`, the scores, `(batch,
        length)`, and the mask, `(batch, length)` booleans, `False` for padding.

    Output shape:
        `(batch, width)`.

    Example:

    >>> vectors = np.array([[[1.0], [3.0], [9.0]]], dtype="float32")
    >>> scores = np.array([[2.0, 1.0, 7.0]], dtype="float32")
    >>> mask = np.array([[True, True, False]])
    >>> MaskedSum()([vectors, scores, mask])  # [[5.0]]
    """

    def __init__(self, softmax=False, **kwargs):
        super().__init__(**kwargs)
        self.softmax = softmax

    def call(self, inputs):
        vectors, scores, mask = inputs
        weights = scores
        if self.softmax:
            weights = masked_softmax(scores, mask)
        weights = ops.where(mask, weights, ops.zeros_like(weights))
        return ops.einsum("bl,bld->bd", weights, vectors)

    def compute_output_shape(self, input_shape):
        batch, _, width = input_shape[0]
        return (batch, width)

    def get_config(self):
        return {**super().get_config(), "softmax": self.softmax}


def masked_softmax(scores, mask):
    """Returns the softmax over the last axis of scores that are not masked.

    Args:
        scores: `(..., length)`.
        mask: booleans of a shape that broadcasts to it, `False` for none.

    Returns:
        `(..., length)` weights in float32 or wider; where all are masked they
        are zero.

    Example:

    >>> scores = np.zeros((1, 3), dtype="float32")
    >>> masked_softmax(scores, np.array([[True, True, False]]))
    """
    weights = ops.softmax(lowered(scores, mask), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))


def lowered(scores, mask):
    """Returns scores with those that are masked below all others.

    Args:
        scores: `(..., length)`.
        mask: booleans of a shape that broadcasts to it, `False` for none.

    Example:

    >>> lowered(np.zeros((1, 2), "float32"), np.array([[True, False]]))
    """
    # Not -inf: where all are masked, the gradient would not be a number.
    lowest = -1e9 if str(scores.dtype) != "float16" else -6e4
    return ops.where(mask, scores, ops.full_like(scores, lowest))
