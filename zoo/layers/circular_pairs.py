import keras
import numpy as np
from keras import ops

from zoo.checks import check_choice
from zoo.layers.bi_interaction import BiInteraction
from zoo.layers.pair_products import PairProducts
from zoo.layers.pairs import pairs_of

KINDS = ("convolution", "correlation", "hadamard")
OUTPUTS = ("sum", "pairs")


@keras.saving.register_keras_serializable(package="zoo")
class CircularPairs(keras.layers.Layer):
    """Circular convolutions of the vectors of pairs of fields.

    Of a pair `a = v_i`, `b = v_j`, `i < j`, the vector `c` with
    `c_k = sum_m a_m b_{(k - m) mod dim}`; the correlation
    `c_k = sum_m a_m b_{(k + m) mod dim}`; or the product by element. The layer
    has no weights.

    Args:
        kind: string, `"convolution"`, `"correlation"` or `"hadamard"`. Defaults
            to `"convolution"`.
        output: string, `"sum"` for the sum of all pairs or `"pairs"` for each
            in the order (0, 1), (0, 2), ..., (1, 2), ... Defaults to `"sum"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, embedding_dim)`, or `(batch, pairs, embedding_dim)`.

    Raises:
        ValueError: for another `kind` or `output`, or fewer than two fields.

    Example:

    >>> vectors = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype="float32")
    >>> CircularPairs()(vectors)  # [[11.0, 10.0]]

    Reference:
    - [Tay et al., 2019](https://doi.org/10.1609/aaai.v33i01.33015143)
    """

    def __init__(self, kind="convolution", output="sum", **kwargs):
        super().__init__(**kwargs)
        check_choice("kind", kind, KINDS)
        check_choice("output", output, OUTPUTS)
        self.kind = kind
        self.output_kind = output
        self.products = (
            BiInteraction(dtype=self.dtype_policy)
            if output == "sum"
            else PairProducts("hadamard", dtype=self.dtype_policy)
        )

    def build(self, input_shape):
        _, fields, dim = input_shape
        self.fields, self.dim = fields, dim
        self.left, self.right = pairs_of(fields)
        # At [m, k], the element of b whose product with a_m adds to c_k.
        shift, place = np.indices((dim, dim))
        self.partners = (
            place - shift if self.kind == "convolution" else place + shift
        ) % dim

    def call(self, inputs):
        if self.output_kind == "sum":
            return self._sum(inputs)
        fields, dim = self.fields, self.dim
        if self.kind == "hadamard":
            return self.products(inputs)
        # All fields times all in one product of matrices: a field turned by
        # each m takes less room than the pairs turned.
        turned = ops.take(inputs, self.partners.ravel(), axis=2)
        turned = ops.reshape(turned, (-1, fields, dim, dim))
        turned = ops.reshape(
            ops.transpose(turned, (0, 2, 1, 3)), (-1, dim, fields * dim)
        )
        circular = ops.reshape(
            ops.matmul(inputs, turned), (-1, fields * fields, dim)
        )
        return ops.take(circular, self.left * fields + self.right, axis=1)

    def _sum(self, inputs):
        fields, dim = self.fields, self.dim
        if self.kind == "hadamard":
            return self.products(inputs)
        later = ops.convert_to_tensor(
            np.triu(np.ones((fields, fields)), 1), dtype=inputs.dtype
        )
        # sum_{i<j} a_m b_n for each m and n: a product with what comes later.
        outer = ops.matmul(
            ops.swapaxes(inputs, 1, 2), ops.matmul(later, inputs)
        )
        places = np.arange(dim)[:, None] * dim + self.partners
        terms = ops.take(
            ops.reshape(outer, (-1, dim * dim)), places.ravel(), axis=1
        )
        return ops.sum(ops.reshape(terms, (-1, dim, dim)), axis=1)

    def compute_output_shape(self, input_shape):
        batch, fields, dim = input_shape
        if self.output_kind == "sum":
            return (batch, dim)
        return (batch, fields * (fields - 1) // 2, dim)

    def get_config(self):
        return {
            **super().get_config(),
            "kind": self.kind,
            "output": self.output_kind,
        }
