import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none


@keras.saving.register_keras_serializable(package="zoo")
class AdaptiveDense(keras.layers.Layer):
    """A linear layer with weights for each row of the batch.

    `x U S V + b`, where the square matrix `S` and `b` are given for each row,
    as what another network makes of a condition.

    Args:
        units: integer, the width of the output.
        rank: integer, the rows and columns of `S`. `None` for no `U` and `V`,
            so that `S` is the whole kernel. Defaults to `None`.
        inner: integer, for `U` and `V` that are products of two matrices with
            that many columns, and rows, between them. Defaults to `None`.
        given_bias: boolean, whether `b` is given; else it is a weight. Defaults
            to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x`, `(batch, inputs)`, and what is given, `(batch, given)`:
        first `b`, `units` numbers unless `given_bias=False`, then `S`, row by
        row, `rank * rank` numbers, or `inputs * units`.

    Output shape:
        `(batch, units)`.

    Raises:
        ValueError: if `rank` is larger than the input or the output, or `inner`
            smaller than `rank`, or another number of values is given.

    Example:

    >>> x = np.ones((2, 5), dtype="float32")
    >>> given = np.ones((2, 3 + 4), dtype="float32")
    >>> AdaptiveDense(3, rank=2)([x, given]).shape
    (2, 3)

    Reference:
    - [Yan et al., 2022](https://arxiv.org/abs/2203.16218), section 3.
    """

    def __init__(self, units, rank=None, inner=None, given_bias=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_positive_integer_or_none("rank", rank)
        check_positive_integer_or_none("inner", inner)
        check_boolean("given_bias", given_bias)
        self.units = units
        self.rank = rank
        # Without a rank there are no matrices to split.
        self.inner = inner if rank else None
        self.given_bias = given_bias

    def build(self, input_shape):
        (_, inputs), (_, given) = input_shape
        self._check(inputs, given)
        if self.rank:
            self.left = self._matrices("left", inputs, self.rank)
            self.right = self._matrices("right", self.rank, self.units)
        if not self.given_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )

    def _check(self, inputs, given):
        if self.rank and self.rank > min(inputs, self.units):
            raise ValueError(
                "`rank` must be no larger than the input and the output, "
                f"{inputs} and {self.units}. Received: rank={self.rank}"
            )
        if self.inner and self.inner < self.rank:
            raise ValueError(
                "`inner` must be no smaller than `rank`. "
                f"Received: inner={self.inner}, rank={self.rank}"
            )
        expected = self.rank**2 if self.rank else inputs * self.units
        expected += self.given_bias * self.units
        if given != expected:
            raise ValueError(
                f"`AdaptiveDense` must be given {expected} numbers a row. "
                f"Received: {given}"
            )

    def _matrices(self, name, rows, columns):
        """The matrices whose product is `U` or `V`."""
        sizes = [rows, *([self.inner] if self.inner else []), columns]
        return [
            self.add_weight(
                shape=(sizes[i], sizes[i + 1]),
                initializer="glorot_normal",
                name=f"{name}_kernel_{i}",
            )
            for i in range(len(sizes) - 1)
        ]

    def call(self, inputs):
        x, given = inputs
        bias = given[:, : self.units] if self.given_bias else self.bias
        kernels = given[:, self.units :] if self.given_bias else given
        if self.rank:
            x = ops.matmul(x, _product(self.left))
        rows = x.shape[-1]
        kernels = ops.reshape(kernels, (-1, rows, kernels.shape[-1] // rows))
        x = ops.einsum("bi,bio->bo", x, kernels)
        if self.rank:
            x = ops.matmul(x, _product(self.right))
        return x + bias

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "rank": self.rank,
            "inner": self.inner,
            "given_bias": self.given_bias,
        }


def _product(matrices):
    if len(matrices) == 1:
        return matrices[0]
    return ops.matmul(*matrices)
