import keras
from keras import ops

from zoo.layers.bi_interaction import BiInteraction
from zoo.layers.pair_products import PairProducts


@keras.saving.register_keras_serializable(package="zoo")
class GroupProducts(keras.layers.Layer):
    """Products of vectors, weighted by the groups that they belong to.

    With `s_g` the sum of the vectors of the group `g`:
    `sum_{g<h} r_gh s_g * s_h + sum_g m_g sum_{i<j in g} v_i * v_j`. So each
    product of two vectors, by element, has the weight of its pair of groups
    `r_gh`, or that of its group `m_g`.

    Input shape:
        List of `(batch, vectors, dim)`, one for each group, two or more.

    Output shape:
        `(batch, dim)`.

    Raises:
        ValueError: if there are fewer than two groups.

    Example:

    >>> groups = [np.ones((2, n, 4), dtype="float32") for n in (3, 1, 2)]
    >>> GroupProducts()(groups).shape
    (2, 4)

    Reference:
    - [Chen et al., 2020](https://arxiv.org/abs/1911.04690), section 3.3.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pairs = PairProducts("hadamard", dtype=self.dtype_policy)
        self.within = BiInteraction(dtype=self.dtype_policy)

    def build(self, input_shape):
        groups = len(input_shape)
        if groups < 2:
            raise ValueError(
                "`GroupProducts` needs two groups or more. "
                f"Received: shapes {input_shape}"
            )
        for name, size in (
            ("pair_weights", groups * (groups - 1) // 2),
            ("group_weights", groups),
        ):
            weight = self.add_weight(
                shape=(size, 1), initializer="glorot_normal", name=name
            )
            setattr(self, name, weight)

    def call(self, inputs):
        sums = ops.stack([ops.sum(group, axis=1) for group in inputs], axis=1)
        within = ops.stack([self.within(group) for group in inputs], axis=1)
        between = self.pairs(sums) * self.pair_weights
        within = within * self.group_weights
        return ops.sum(between, axis=1) + ops.sum(within, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], input_shape[0][-1])
