import math

import keras
import numpy as np
from keras import ops

from zoo.checks import check_choice

AGGREGATIONS = ("inner", "outer")


@keras.saving.register_keras_serializable(package="zoo")
class AcyclicInteraction(keras.layers.Layer):
    """One step on a graph in which each field sees itself and those before it.

    `h_next_s = h0_s * sum_{f<=s} a_fs`, by element, with `a_fs = p_fs * h_f`,
    or for `"outer"` `a_fs = <p_fs, h_f> q_fs`, a matrix of rank 1 times `h_f`.
    Stack layers by passing the first input again, as with `zoo.layers.Cross`:
    each adds one to the number of fields in a product.

    Args:
        aggregation: string, `"inner"` or `"outer"`. Defaults to `"inner"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `h0` and `h`, both `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields, embedding_dim)`.

    Raises:
        ValueError: for another `aggregation`.

    Example:

    >>> fields = np.ones((2, 3, 4), dtype="float32")
    >>> AcyclicInteraction()([fields, fields]).shape
    (2, 3, 4)

    Reference:
    - [Tian et al., 2023](https://arxiv.org/abs/2211.11159), section 3.2.
    """

    def __init__(self, aggregation="inner", **kwargs):
        super().__init__(**kwargs)
        check_choice("aggregation", aggregation, AGGREGATIONS)
        self.aggregation = aggregation

    def build(self, input_shape):
        _, fields, dim = input_shape[0]
        # PyTorch's `xavier_normal_` in three axes, times 1.414.
        deviation = math.sqrt(2 / (fields * dim))
        names = ["kernel"]
        if self.aggregation == "outer":
            names.append("outer_kernel")
        for name in names:
            weight = self.add_weight(
                shape=(fields, fields, dim),
                initializer=keras.initializers.RandomNormal(stddev=deviation),
                name=name,
            )
            setattr(self, name, weight)

    def call(self, inputs):
        first, current = inputs
        fields = current.shape[1]
        before = np.triu(np.ones((fields, fields), "float32"))[..., None]
        kernel = self.kernel * ops.cast(before, self.compute_dtype)
        if self.aggregation == "inner":
            return first * ops.einsum("bfd,fsd->bsd", current, kernel)
        shares = ops.einsum("bfd,fsd->bfs", current, kernel)
        return first * ops.einsum("bfs,fsd->bsd", shares, self.outer_kernel)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "aggregation": self.aggregation}
