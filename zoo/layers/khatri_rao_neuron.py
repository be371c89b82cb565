import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers.field_self_attention import check_heads


@keras.saving.register_keras_serializable(package="zoo")
class KhatriRaoNeuron(keras.layers.Layer):
    """Neurons that multiply their inputs by linear maps of all inputs.

    `x_next = x * sum_r relu(norm(x W_r + b_r)) + x`, by element, on the fields
    `x` side by side; the rows `r` of each element are those of a Khatri-Rao
    product. With several heads each embedding is cut into as many parts. The
    elements of the product are then in the order of heads, fields and parts,
    but the `x` that is added keeps its own order, fields first. The authors'
    code does so; with one order for both, heads would change nothing.

    Args:
        num_rows: integer, the number of `r`. Defaults to `2`.
        num_heads: integer. Defaults to `1`.
        normalization: `"batch"` or `"layer"`, what `norm` is, or `None` for
            none. Defaults to `None`.
        dropout: float in `[0, 1)`, after `relu`. Defaults to `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields, embedding_dim)`.

    Raises:
        ValueError: for an argument out of its range, or heads that do not
            divide the embeddings.

    Example:

    >>> KhatriRaoNeuron()(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 4)

    Reference:
    - [Li et al., 2025](https://arxiv.org/abs/2505.17999)
    """

    def __init__(
        self,
        num_rows=2,
        num_heads=1,
        normalization=None,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive_integer("num_rows", num_rows)
        check_positive_integer("num_heads", num_heads)
        check_choice("normalization", normalization, (None, "batch", "layer"))
        check_rate("dropout", dropout)
        self.num_rows = num_rows
        self.num_heads = num_heads
        self.normalization = normalization
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        settings = {"dtype": self.dtype_policy, "name": "norm"}
        if normalization == "batch":
            self.norm = keras.layers.BatchNormalization(
                epsilon=1e-5, momentum=0.9, **settings
            )
        elif normalization == "layer":
            self.norm = keras.layers.LayerNormalization(
                epsilon=1e-5, **settings
            )
        else:
            self.norm = None

    def build(self, input_shape):
        check_heads("embedding_dim", input_shape[2], self.num_heads)
        units = input_shape[1] * input_shape[2]
        self.kernel = self.add_weight(
            shape=(units, self.num_rows * units),
            initializer="glorot_normal",
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.num_rows * units,), initializer="zeros", name="bias"
        )
        if self.norm is not None:
            self.norm.build((input_shape[0], self.num_rows * units))

    def call(self, inputs, training=None):
        fields, dim = inputs.shape[1:]
        size = dim // self.num_heads
        flat = ops.reshape(inputs, (-1, fields * dim))
        hidden = ops.matmul(flat, self.kernel) + self.bias
        if self.norm is not None:
            hidden = self.norm(hidden, training=training)
        hidden = self.dropout(ops.relu(hidden), training=training)
        rows = ops.reshape(
            hidden, (-1, self.num_heads, self.num_rows, fields, size)
        )
        heads = ops.reshape(inputs, (-1, fields, self.num_heads, size))
        product = ops.swapaxes(heads, 1, 2) * ops.sum(rows, axis=2)
        return ops.reshape(product, (-1, fields, dim)) + inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_rows": self.num_rows,
            "num_heads": self.num_heads,
            "normalization": self.normalization,
            "dropout": self.rate,
        }
