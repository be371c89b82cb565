import keras
from keras import ops

from zoo.checks import check_positive_integer
from zoo.layers.own_domain import select_own_domain


@keras.saving.register_keras_serializable(package="zoo")
class StarDense(keras.layers.Layer):
    """A linear layer that all domains share and each domain changes.

    `x (W * W_d) + b + b_d` for a row of the domain `d`, where `*` is the
    elementwise product. `W_d` starts as ones and `b_d` as zeros: a domain that
    training never saw has the shared layer.

    Args:
        units: integer, the width of the output.
        num_domains: integer, the number of domains.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x`, `(batch, inputs)`, and the domain of each row, `(batch,)`
        integers.

    Output shape:
        `(batch, units)`.

    Example:

    >>> x = np.ones((2, 5), dtype="float32")
    >>> StarDense(3, num_domains=4)([x, np.array([0, 3])]).shape
    (2, 3)

    Reference:
    - [Sheng et al., 2021](https://arxiv.org/abs/2101.11427), the star-topology
      layers.
    """

    def __init__(self, units, num_domains, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_positive_integer("num_domains", num_domains)
        self.units = units
        self.num_domains = num_domains

    def build(self, input_shape):
        shape = (input_shape[0][-1], self.units)
        self.kernel = self.add_weight(
            shape=shape, initializer="glorot_normal", name="kernel"
        )
        self.bias = self.add_weight(
            shape=shape[1:], initializer="zeros", name="bias"
        )
        self.domain_kernel = self.add_weight(
            shape=(self.num_domains, *shape),
            initializer="ones",
            name="domain_kernel",
        )
        self.domain_bias = self.add_weight(
            shape=(self.num_domains, self.units),
            initializer="zeros",
            name="domain_bias",
        )

    def call(self, inputs):
        x, domain = inputs
        kernels = self.kernel * self.domain_kernel
        # A kernel for each row would be far larger than this product.
        of_all = ops.einsum("bi,dio->bdo", x, kernels)
        bias = ops.take(self.domain_bias, domain, axis=0)
        return select_own_domain(of_all, domain) + bias + self.bias

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_domains": self.num_domains,
        }
