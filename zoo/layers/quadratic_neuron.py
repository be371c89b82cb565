import keras
from keras import ops

from zoo.checks import check_choice

# The number of parts of `x W + b`.
PARTS = {"T5": 2, "T7": 2, "T8": 3, "T26": 2, "T30": 2}


@keras.saving.register_keras_serializable(package="zoo")
class QuadraticNeuron(keras.layers.Layer):
    """Neurons that are quadratic, or cubic, in their inputs.

    With `h_1, h_2, ...` the equal parts of `x W + b`, by the paper's names:

    - `"T5"`: `h_1 * h_2`
    - `"T7"`: `h_1 * h_2 + (x * x) V + c`
    - `"T8"`: `h_1 * h_2 + h_3`
    - `"T26"`: `(relu(h_1) * x + relu(h_2) * x) / 2 + x`
    - `"T30"`: `(relu(h_1) * x + relu(h_2) * x * x) / 2 + x`

    Args:
        neuron_type: string, one of these.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, units)`.

    Output shape:
        `(batch, units)`.

    Raises:
        ValueError: for another `neuron_type`.

    Example:

    >>> QuadraticNeuron("T26")(np.ones((2, 3), dtype="float32")).shape
    (2, 3)

    Reference:
    - [Li et al., 2025](https://arxiv.org/abs/2505.17999)
    """

    def __init__(self, neuron_type, **kwargs):
        super().__init__(**kwargs)
        check_choice("neuron_type", neuron_type, PARTS)
        self.neuron_type = neuron_type

    def build(self, input_shape):
        units = input_shape[-1]
        self.kernel, self.bias = self._linear(
            units, PARTS[self.neuron_type] * units, ""
        )
        if self.neuron_type == "T7":
            self.square_kernel, self.square_bias = self._linear(
                units, units, "square_"
            )

    def _linear(self, inputs, units, prefix):
        kernel = self.add_weight(
            shape=(inputs, units),
            initializer="glorot_normal",
            name=f"{prefix}kernel",
        )
        bias = self.add_weight(
            shape=(units,), initializer="zeros", name=f"{prefix}bias"
        )
        return kernel, bias

    def call(self, inputs):
        hidden = ops.matmul(inputs, self.kernel) + self.bias
        parts = ops.split(hidden, PARTS[self.neuron_type], axis=-1)
        if self.neuron_type == "T26":
            return inputs * (
                1 + 0.5 * (ops.relu(parts[0]) + ops.relu(parts[1]))
            )
        if self.neuron_type == "T30":
            gate = ops.relu(parts[0]) + ops.relu(parts[1]) * inputs
            return inputs * (1 + 0.5 * gate)
        product = parts[0] * parts[1]
        if self.neuron_type == "T8":
            return product + parts[2]
        if self.neuron_type == "T7":
            square = ops.matmul(ops.square(inputs), self.square_kernel)
            return product + square + self.square_bias
        return product

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "neuron_type": self.neuron_type}
