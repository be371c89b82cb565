import keras
from keras import ops

from zoo.checks import check_positive_integer
from zoo.layers.own_domain import select_own_domain
from zoo.layers.xavier import xavier_normal


@keras.saving.register_keras_serializable(package="zoo")
class DomainExperts(keras.layers.Layer):
    """Linear layers side by side, of which each domain has its own.

    `y_e = x_e W_{d,e} + b_{d,e}` for a row of the domain `d`.

    Args:
        units: integer, the width of the output.
        num_domains: integer, the number of domains.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x`, `(batch, experts, inputs)`, and the domain of each row,
        `(batch,)` integers.

    Output shape:
        `(batch, experts, units)`.

    Example:

    >>> x = np.ones((2, 6, 5), dtype="float32")
    >>> DomainExperts(3, num_domains=4)([x, np.array([0, 3])]).shape
    (2, 6, 3)

    Reference:
    - [Shen et al., 2021](https://arxiv.org/abs/2110.06475), the experts of
      each scenario.
    """

    def __init__(self, units, num_domains, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_positive_integer("num_domains", num_domains)
        self.units = units
        self.num_domains = num_domains

    def build(self, input_shape):
        _, experts, inputs = input_shape[0]
        self.kernel = self.add_weight(
            shape=(self.num_domains, experts, inputs, self.units),
            initializer=xavier_normal((self.units, inputs)),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.num_domains, experts, self.units),
            initializer="zeros",
            name="bias",
        )

    def call(self, inputs):
        x, domain = inputs
        of_all = ops.einsum("bei,deio->bdeo", x, self.kernel)
        bias = ops.take(self.bias, domain, axis=0)
        return select_own_domain(of_all, domain) + bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:2], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_domains": self.num_domains,
        }
