import keras
import numpy as np
from keras import ops

from zoo.checks import check_positive_integer
from zoo.checks import check_rate


@keras.saving.register_keras_serializable(package="zoo")
class FourierFilter(keras.layers.Layer):
    """Multiplies the spectrum of a history by complex matrices.

    `norm(dropout(irfft(rfft(x) (A + iB))) + x)`, with the Fourier transform
    over the events. The matrices are the same at all frequencies, so that this
    is `norm(dropout(x A + (H x) B) + x)` with the fixed matrix `H` of
    `x -> irfft(i rfft(x))`: no transform is computed.

    Args:
        blocks: integer, into how many slices vectors fall, each with matrices
            of its own. It must divide their width; where it is their width,
            each number has a factor of its own.
        dropout: float in `[0, 1)`. Defaults to `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, histories, length, dim)`; each history has weights of its own.

    Output shape:
        That of the input.

    Raises:
        ValueError: if `blocks` does not divide the width.

    Example:

    >>> FourierFilter(2)(np.ones((2, 3, 5, 4), dtype="float32")).shape
    (2, 3, 5, 4)

    Reference:
    - [Xu et al., 2025](https://arxiv.org/abs/2411.15005)
    """

    def __init__(self, blocks, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("blocks", blocks)
        check_rate("dropout", dropout)
        self.blocks = blocks
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        _, histories, length, dim = input_shape
        if dim % self.blocks:
            raise ValueError(
                f"`blocks` must divide the width of the vectors, {dim}. "
                f"Received: blocks={self.blocks!r}"
            )
        width = dim // self.blocks
        self.real, self.imaginary = (
            self.add_weight(
                shape=(histories, self.blocks, width, width),
                initializer=keras.initializers.RandomNormal(stddev=0.02),
                name=name,
            )
            for name in ("real", "imaginary")
        )
        self.gamma, self.beta = (
            self.add_weight(
                shape=(histories, 1, dim), initializer=initializer, name=name
            )
            for name, initializer in (("gamma", "ones"), ("beta", "zeros"))
        )
        self._turned = _turn(length)

    def call(self, inputs, training=None):
        turned = ops.convert_to_tensor(self._turned, dtype=inputs.dtype)
        turned = ops.einsum("lm,bhmd->bhld", turned, inputs)
        filtered = self._by_block(inputs, self.real)
        filtered = filtered + self._by_block(turned, self.imaginary)
        outputs = inputs + self.dropout(filtered, training=training)
        return self._normalized(outputs)

    def _by_block(self, x, kernel):
        _, histories, length, dim = x.shape
        split = ops.reshape(
            x, (-1, histories, length, self.blocks, dim // self.blocks)
        )
        product = ops.einsum("bhlnd,hnde->bhlne", split, kernel)
        return ops.reshape(product, (-1, histories, length, dim))

    def _normalized(self, x):
        """Layer normalization, with weights for each history."""
        values = ops.cast(x, "float32")
        mean, variance = ops.moments(values, axes=[-1], keepdims=True)
        values = (values - mean) * ops.rsqrt(variance + 1e-12)
        return ops.cast(values, x.dtype) * self.gamma + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "dropout": self.rate,
        }


def _turn(length):
    """The matrix of `x -> irfft(i rfft(x))`, without the rounding of NumPy."""
    spectrum = 1j * np.fft.rfft(np.eye(length), axis=0)
    # Real numbers have no imaginary part there.
    spectrum[0] = 0
    if length % 2 == 0:
        spectrum[-1] = 0
    return np.fft.irfft(spectrum, n=length, axis=0)
