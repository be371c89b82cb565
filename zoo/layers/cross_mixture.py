import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class CrossMixture(keras.layers.Layer):
    """Cross network of DCN-V2 as a mixture of low-rank experts.

    Each of `num_layers` layers computes, with a gate over the experts `e`,

    ```
    expert_e = U_e tanh(C_e tanh(V_e^T x))
    x_next = x0 * (sum_e softmax(x G)_e * expert_e + b) + x
    ```

    The gate `G` is shared by the layers, as in the published CowClip code.

    Args:
        num_layers: integer. Number of cross layers. Defaults to `3`.
        low_rank: integer. Rank of every expert. Defaults to `32`.
        num_experts: integer. Number of experts. Defaults to `4`.
        kernel_regularizer: Keras regularizer of `U`, `V` and `C`. Defaults to
            `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, units)`.

    Output shape:
        `(batch, units)`.

    Example:

    >>> CrossMixture(num_layers=2)(np.ones((4, 16), dtype="float32")).shape
    (4, 16)

    Reference:
    - [Wang et al., 2020](https://arxiv.org/abs/2008.13535), section 3.2.
    """

    def __init__(
        self,
        num_layers=3,
        low_rank=32,
        num_experts=4,
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_layers = num_layers
        self.low_rank = low_rank
        self.num_experts = num_experts
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        units = input_shape[-1]
        experts, rank = self.num_experts, self.low_rank
        self.left_kernels: list = []
        self.right_kernels: list = []
        self.core_kernels: list = []
        self.biases: list = []
        for i in range(self.num_layers):
            for kernels, name, shape in (
                (self.left_kernels, "left", (experts, units, rank)),
                (self.right_kernels, "right", (experts, units, rank)),
                (self.core_kernels, "core", (experts, rank, rank)),
            ):
                kernels.append(
                    self.add_weight(
                        shape=shape,
                        initializer="glorot_normal",
                        regularizer=self.kernel_regularizer,
                        name=f"{name}_kernel_{i}",
                    )
                )
            self.biases.append(
                self.add_weight(
                    shape=(units,), initializer="zeros", name=f"bias_{i}"
                )
            )
        self.gate = self.add_weight(
            shape=(units, experts), initializer="glorot_uniform", name="gate"
        )

    def call(self, inputs):
        current = inputs
        for left, right, core, bias in zip(
            self.left_kernels,
            self.right_kernels,
            self.core_kernels,
            self.biases,
            strict=True,
        ):
            # b: batch, u: units, e: experts, r and s: rank.
            low = ops.tanh(ops.einsum("bu,eur->ber", current, right))
            low = ops.tanh(ops.einsum("bes,ers->ber", low, core))
            # A softmax written out: ops.softmax warns of a single expert.
            scores = ops.matmul(current, self.gate)
            weights = ops.exp(
                scores - ops.logsumexp(scores, axis=-1, keepdims=True)
            )
            # Weighting the experts in their low rank keeps the wide product
            # at one vector per row. The weights sum to 1, so `bias` needs none.
            low = low * ops.expand_dims(weights, axis=-1)
            mixture = ops.einsum("ber,eur->bu", low, left)
            current = inputs * (mixture + bias) + current
        return current

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "low_rank": self.low_rank,
            "num_experts": self.num_experts,
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
