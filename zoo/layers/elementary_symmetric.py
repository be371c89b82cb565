import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class ElementarySymmetric(keras.layers.Layer):
    """Sums of the products of all subsets of 1, 2, ..., `order` fields.

    `E_k = sum_{i1<...<ik} v_i1 * ... * v_ik` by element, the elementary
    symmetric polynomials of the fields. By Newton's identities they follow from
    the sums of powers `p_j = sum_i v_i^j`, so that no subset is enumerated:
    `k E_k = sum_{j=1..k} (-1)^(j-1) E_{k-j} p_j`. The layer has no weights.

    Args:
        order: integer, the size of the largest subsets.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, order, embedding_dim)`; `[:, k - 1]` is `E_k`.

    Raises:
        ValueError: if `order` is no positive integer, or larger than the number
            of fields.

    Example:

    >>> vectors = np.array([[[1.0], [2.0], [3.0]]], dtype="float32")
    >>> ElementarySymmetric(3)(vectors)  # [[[6.0], [11.0], [6.0]]]

    Reference:
    - [Blondel et al., 2016](https://arxiv.org/abs/1607.07195)
    - [Yu et al., 2020](https://doi.org/10.1145/3340531.3412077)
    """

    def __init__(self, order, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("order", order)
        self.order = order

    def build(self, input_shape):
        # Sums over no subset would be what rounding leaves, not 0.
        if self.order > input_shape[1]:
            raise ValueError(
                "`order` must be at most the number of fields, "
                f"{input_shape[1]}. Received: order={self.order}"
            )

    def call(self, inputs):
        power, power_sums = inputs, [ops.sum(inputs, axis=1)]
        for _ in range(1, self.order):
            power = power * inputs
            power_sums.append(ops.sum(power, axis=1))
        polynomials = [power_sums[0]]
        for k in range(2, self.order + 1):
            # The term of the largest power has E_0, which is 1.
            total = (-1) ** (k - 1) * power_sums[k - 1]
            for j in range(1, k):
                term = polynomials[k - j - 1] * power_sums[j - 1]
                total = total + (-1) ** (j - 1) * term
            polynomials.append(total / k)
        return ops.stack(polynomials, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.order, input_shape[2])

    def get_config(self):
        return {**super().get_config(), "order": self.order}
