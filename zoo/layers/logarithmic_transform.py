import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.checks import check_positive_integer

NORMALIZED = ("fields", "elements")


@keras.saving.register_keras_serializable(package="zoo")
class LogarithmicTransform(keras.layers.Layer):
    """Products of powers of the fields, whose exponents are learned.

    `outputs[k] = norm(exp(sum_i norm(log(max(|v_i|, smallest))) * W[i, k]))` by
    element: without the batch normalizations `prod_i |v_i| ** W[i, k]`.

    Args:
        neurons: integer, the number of products.
        smallest: float, positive. Smaller absolute values count as it. Defaults
            to `1e-5`.
        normalized: string. `"fields"` for a mean and variance for each field,
            and behind `exp` each product, over all elements; `"elements"` for
            those of each element, over all fields. Defaults to `"fields"`.
        use_bias: boolean, whether a bias for each product is added before
            `exp`. Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, neurons, embedding_dim)`.

    Raises:
        ValueError: for another `normalized`.

    Example:

    >>> LogarithmicTransform(5)(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 5, 4)

    Reference:
    - [Cheng et al., 2020](https://arxiv.org/abs/1909.03276)
    """

    def __init__(
        self,
        neurons,
        smallest=1e-5,
        normalized="fields",
        use_bias=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive_integer("neurons", neurons)
        check_positive("smallest", smallest)
        check_choice("normalized", normalized, NORMALIZED)
        check_boolean("use_bias", use_bias)
        self.neurons = neurons
        self.smallest = smallest
        self.normalized = normalized
        self.use_bias = use_bias
        self.log_norm, self.exp_norm = (
            keras.layers.BatchNormalization(
                axis=1 if normalized == "fields" else 2,
                epsilon=1e-5,
                momentum=0.9,
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("log_norm", "exp_norm")
        )

    def build(self, input_shape):
        batch, fields, dim = input_shape
        self.kernel = self.add_weight(
            shape=(fields, self.neurons),
            initializer="glorot_normal",
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.neurons, 1), initializer="zeros", name="bias"
            )
        self.log_norm.build(input_shape)
        self.exp_norm.build((batch, self.neurons, dim))

    def call(self, inputs, training=None):
        logs = ops.log(ops.maximum(ops.abs(inputs), self.smallest))
        logs = self.log_norm(logs, training=training)
        mixed = ops.matmul(ops.transpose(self.kernel), logs)
        if self.use_bias:
            mixed = mixed + self.bias
        return self.exp_norm(ops.exp(mixed), training=training)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.neurons, input_shape[2])

    def get_config(self):
        return {
            **super().get_config(),
            "neurons": self.neurons,
            "smallest": self.smallest,
            "normalized": self.normalized,
            "use_bias": self.use_bias,
        }
