import keras
import numpy as np
from keras import ops

from zoo.checks import check_choice
from zoo.layers.pairs import pairs_of
from zoo.layers.xavier import xavier_normal

KINDS = ("matrix", "vector")


@keras.saving.register_keras_serializable(package="zoo")
class WeightedPairs(keras.layers.Layer):
    """The sum over pairs of fields, each with a weight matrix of its own.

    `sum_{i<j} <v_i W_ij, v_j>`, or `sum_{i<j} <v_i * w_ij, v_j>` with vectors.
    The weights are put into one matrix between all fields, so that no vector of
    a pair is made.

    Args:
        kind: string, `"matrix"` or `"vector"`, the weight of a pair. Defaults
            to `"matrix"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, 1)`.

    Raises:
        ValueError: for another `kind`, or fewer than two fields.

    Example:

    >>> WeightedPairs()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 1)

    Reference:
    - [Sun et al., 2021](https://arxiv.org/abs/2102.12994), section 4.
    """

    def __init__(self, kind="matrix", **kwargs):
        super().__init__(**kwargs)
        check_choice("kind", kind, KINDS)
        self.kind = kind

    def build(self, input_shape):
        _, fields, dim = input_shape
        left, right = pairs_of(fields)
        pairs = len(left)
        # Fields that make no pair, i >= j, get the row of zeros at the end.
        places = np.full((fields, fields), pairs)
        places[left, right] = np.arange(pairs)
        self.places = places.ravel()
        size = (dim, dim) if self.kind == "matrix" else (dim,)
        self.kernel = self.add_weight(
            shape=(pairs, *size),
            initializer=xavier_normal((pairs, *size)),
            name="kernel",
        )

    def call(self, inputs):
        _, fields, dim = inputs.shape
        kernel = ops.convert_to_tensor(self.kernel, dtype=self.compute_dtype)
        padded = ops.concatenate([kernel, ops.zeros_like(kernel[:1])], axis=0)
        weights = ops.take(padded, self.places, axis=0)
        if self.kind == "vector":
            weights = ops.reshape(weights, (fields, fields, dim))
            weighted = ops.einsum("bid,ijd->bjd", inputs, weights)
            return ops.sum(weighted * inputs, axis=(1, 2))[:, None]
        weights = ops.reshape(weights, (fields, fields, dim, dim))
        weights = ops.transpose(weights, (0, 2, 1, 3))
        weights = ops.reshape(weights, (fields * dim, fields * dim))
        flat = ops.reshape(inputs, (-1, fields * dim))
        weighted = ops.matmul(flat, weights)
        return ops.sum(weighted * flat, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}
