from typing import Any

import keras
from keras import ops

from zoo.checks import check_choice
from zoo.layers.pairs import pairs_of
from zoo.layers.xavier import xavier_normal

KINDS = ("all", "each", "interaction")
OUTPUTS = ("hadamard", "inner")


@keras.saving.register_keras_serializable(package="zoo")
class BilinearInteraction(keras.layers.Layer):
    """Products of pairs of fields, with a matrix between the two.

    `(v_i W) * v_j` by element, or their sum `v_i W v_j`, for `i < j`: pairs
    are in the order (0, 1), (0, 2), ..., (1, 2), ...

    Args:
        kind: string. `"all"` for one matrix, `"each"` for one for each field
            `i`, or `"interaction"` for one for each pair. Defaults to
            `"interaction"`.
        output: string, `"hadamard"` for products by element or `"inner"` for
            their sums. Defaults to `"hadamard"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, pairs, embedding_dim)`, or `(batch, pairs)` for `"inner"`,
        with `pairs = fields * (fields - 1) / 2`.

    Raises:
        ValueError: for another `kind` or `output`, or fewer than two fields.

    Example:

    >>> BilinearInteraction("all")(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Huang et al., 2019](https://arxiv.org/abs/1905.09433), section 3.5.
    """

    def __init__(self, kind="interaction", output="hadamard", **kwargs):
        super().__init__(**kwargs)
        check_choice("kind", kind, KINDS)
        check_choice("output", output, OUTPUTS)
        self.kind = kind
        self.output_kind = output

    def build(self, input_shape):
        _, fields, dim = input_shape
        self.fields = fields
        self.left, self.right = pairs_of(fields)
        initializer: Any = "glorot_normal"
        shape: tuple[int, ...] = (dim, dim)
        if self.kind != "all":
            pairs = len(self.left)
            # The last field is the left one of no pair.
            matrices = fields - 1 if self.kind == "each" else pairs
            drawn = fields if self.kind == "each" else pairs
            initializer = xavier_normal((drawn, dim, dim))
            shape = (matrices, dim, dim)
        self.kernel = self.add_weight(
            shape=shape, initializer=initializer, name="kernel"
        )

    def call(self, inputs):
        left, right = self.left, self.right
        if self.kind == "interaction":
            first = ops.einsum(
                "bpd,pde->bpe", ops.take(inputs, left, axis=1), self.kernel
            )
            products = first * ops.take(inputs, right, axis=1)
            return self._output(products)
        if self.kind == "all":
            first = ops.matmul(inputs, self.kernel)
        else:
            first = ops.einsum("bfd,fde->bfe", inputs[:, :-1], self.kernel)
        if self.output_kind == "inner":
            return self._inner_products(first, inputs)
        return ops.take(first, left, axis=1) * ops.take(inputs, right, axis=1)

    def compute_output_shape(self, input_shape):
        batch, fields, dim = input_shape
        pairs = (batch, fields * (fields - 1) // 2)
        return pairs if self.output_kind == "inner" else (*pairs, dim)

    def get_config(self):
        return {
            **super().get_config(),
            "kind": self.kind,
            "output": self.output_kind,
        }

    def _output(self, products):
        if self.output_kind == "inner":
            return ops.sum(products, axis=-1)
        return products

    def _inner_products(self, first, second):
        products = ops.matmul(first, ops.swapaxes(second, 1, 2))
        flat = ops.reshape(products, (-1, first.shape[1] * self.fields))
        return ops.take(flat, self.left * self.fields + self.right, axis=1)
