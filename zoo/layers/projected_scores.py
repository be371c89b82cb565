import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class ProjectedScores(keras.layers.Layer):
    """Scores events by the product of their projection with the target's.

    `<t Q, e K>` for each event `e`, computed as `<t Q K', e>`.

    Args:
        units: integer, the width of the projections.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the target, `(batch, dim)`, and the events,
        `(batch, length, dim)`.

    Output shape:
        `(batch, length)`.

    Example:

    >>> target = np.ones((2, 4), dtype="float32")
    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> ProjectedScores(8)([target, events]).shape
    (2, 3)

    Reference:
    - [Pi et al., 2020](https://arxiv.org/abs/2006.05639), section 3.2.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        self.units = units

    def build(self, input_shape):
        self.query_kernel, self.key_kernel = (
            self.add_weight(
                shape=(input_shape[0][-1], self.units),
                initializer="glorot_normal",
                name=f"{each}_kernel",
            )
            for each in ("query", "key")
        )

    def call(self, inputs):
        target, events = inputs
        query = ops.matmul(target, self.query_kernel)
        query = ops.matmul(query, ops.transpose(self.key_kernel))
        return ops.einsum("bd,bld->bl", query, events)

    def compute_output_shape(self, input_shape):
        return input_shape[1][:2]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
