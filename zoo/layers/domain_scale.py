import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class DomainScale(keras.layers.Layer):
    """Scales and shifts each number, by weights of the domain of the row.

    `x * w_d + b_d` for a row of the domain `d`. `w_d` starts as ones and `b_d`
    as zeros, so that a domain that training never saw changes nothing.

    Args:
        num_domains: integer, the number of domains.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x`, `(batch, width)`, and the domain of each row, `(batch,)`
        integers.

    Output shape:
        That of `x`.

    Example:

    >>> x = np.ones((2, 5), dtype="float32")
    >>> DomainScale(num_domains=4)([x, np.array([0, 3])]).shape
    (2, 5)

    Reference:
    - [Shen et al., 2021](https://arxiv.org/abs/2110.06475), the
      scenario-specific transformation.
    """

    def __init__(self, num_domains, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("num_domains", num_domains)
        self.num_domains = num_domains

    def build(self, input_shape):
        shape = (self.num_domains, input_shape[0][-1])
        self.scale = self.add_weight(
            shape=shape, initializer="ones", name="scale"
        )
        self.shift = self.add_weight(
            shape=shape, initializer="zeros", name="shift"
        )

    def call(self, inputs):
        x, domain = inputs
        scale = ops.take(self.scale, domain, axis=0)
        return x * scale + ops.take(self.shift, domain, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "num_domains": self.num_domains}
