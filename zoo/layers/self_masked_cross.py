import keras
from keras import ops

from zoo.checks import check_boolean


@keras.saving.register_keras_serializable(package="zoo")
class SelfMaskedCross(keras.layers.Layer):
    """A cross layer of half width, whose other half is itself under a mask.

    `x_next = source * ([h, h * relu(norm(h))] + b) + x` with `h = x W`. With
    the first input as `source`, each layer adds one to the degree of its
    products, as in DCN. With `x` as `source`, each layer doubles the degree.

    Args:
        layer_norm: boolean, whether the mask has a layer normalization.
            Defaults to `True`.
        batch_norm: boolean, whether `h` is batch normalized, by one scale and
            offset for each head. Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `source` and `x`, both `(batch, heads, units)`, with an even
        number of units.

    Output shape:
        `(batch, heads, units)`.

    Raises:
        ValueError: for an odd number of units.

    Example:

    >>> x = np.ones((2, 1, 4), dtype="float32")
    >>> SelfMaskedCross()([x, x]).shape
    (2, 1, 4)

    Reference:
    - [Li et al., 2024](https://arxiv.org/abs/2407.13349)
    """

    def __init__(self, layer_norm=True, batch_norm=False, **kwargs):
        super().__init__(**kwargs)
        check_boolean("layer_norm", layer_norm)
        check_boolean("batch_norm", batch_norm)
        self.use_layer_norm = layer_norm
        self.use_batch_norm = batch_norm
        if layer_norm:
            self.layer_norm = keras.layers.LayerNormalization(
                epsilon=1e-5, dtype=self.dtype_policy, name="layer_norm"
            )
        if batch_norm:
            self.batch_norm = keras.layers.BatchNormalization(
                axis=1,
                epsilon=1e-5,
                momentum=0.9,
                dtype=self.dtype_policy,
                name="batch_norm",
            )

    def build(self, input_shape):
        batch, heads, units = input_shape[0]
        if units % 2:
            raise ValueError(
                "`SelfMaskedCross` must have an even number of units, of which "
                f"it masks a half. Received: shape {tuple(input_shape[0])}"
            )
        self.kernel = self.add_weight(
            shape=(units, units // 2),
            initializer="glorot_normal",
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(units,),
            initializer=keras.initializers.RandomUniform(0.0, 1.0),
            name="bias",
        )
        if self.use_layer_norm:
            self.layer_norm.build((batch, heads, units // 2))
        if self.use_batch_norm:
            self.batch_norm.build((batch, heads, units // 2))

    def call(self, inputs, training=None):
        source, current = inputs
        half = ops.matmul(current, self.kernel)
        if self.use_batch_norm:
            half = self.batch_norm(half, training=training)
        mask = self.layer_norm(half) if self.use_layer_norm else half
        crossed = ops.concatenate([half, half * ops.relu(mask)], axis=-1)
        return source * (crossed + self.bias) + current

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "layer_norm": self.use_layer_norm,
            "batch_norm": self.use_batch_norm,
        }
