import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integers


@keras.saving.register_keras_serializable(package="zoo")
class CompressedInteraction(keras.layers.Layer):
    """Compressed interaction network: products with the fields, mixed to maps.

    With `x_0` the fields, `x_l[h] = activation(sum_ij W_l[i, j, h] x_{l-1}[i] *
    x_0[j] + b_l[h])` by element, so that layer `l` has products of `l + 1`
    fields. Its maps are summed over the embedding's elements.

    Args:
        units: tuple of integers, the number of maps of each layer.
        activation: string, a name that Keras knows, or `None`. Defaults to
            `None`.
        split_half: boolean. Whether the first half of a layer's maps goes on
            to the next layer alone and the second half to the output alone,
            but for the last layer. Defaults to `False`: all go to both.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, maps)`, with `maps = sum(units)` unless `split_half`.

    Raises:
        ValueError: if there is no layer, or an odd number of maps to split.

    Example:

    >>> CompressedInteraction((6, 4))(np.ones((2, 3, 8), dtype="float32")).shape
    (2, 10)

    Reference:
    - [Lian et al., 2018](https://arxiv.org/abs/1803.05170), section 3.1.
    """

    def __init__(self, units, activation=None, split_half=False, **kwargs):
        super().__init__(**kwargs)
        check_positive_integers("units", units)
        check_boolean("split_half", split_half)
        odd = [size for size in units[:-1] if size % 2]
        if not units or (split_half and odd):
            raise ValueError(
                "`units` must have a layer, and with `split_half` even numbers "
                f"before the last. Received: units={units!r}, "
                f"split_half={split_half!r}"
            )
        self.units = tuple(units)
        self.activation = keras.activations.get(activation)
        self.split_half = split_half

    def build(self, input_shape):
        fields = maps = input_shape[1]
        self.kernels, self.biases = [], []
        for i, size in enumerate(self.units, start=1):
            self.kernels.append(
                self.add_weight(
                    shape=(maps * fields, size),
                    initializer="glorot_normal",
                    name=f"kernel_{i}",
                )
            )
            self.biases.append(
                self.add_weight(
                    shape=(size,), initializer="zeros", name=f"bias_{i}"
                )
            )
            maps = size // 2 if self.split_half else size

    def call(self, inputs):
        # The elements of embeddings are rows here.
        first = current = ops.swapaxes(inputs, 1, 2)
        outputs = []
        for i, size in enumerate(self.units):
            current = self._mixed(first, current, i)
            is_split = self.split_half and i + 1 < len(self.units)
            kept = current[..., size // 2 :] if is_split else current
            current = current[..., : size // 2] if is_split else current
            outputs.append(ops.sum(kept, axis=1))
        return ops.concatenate(outputs, axis=-1)

    def _mixed(self, first, current, i):
        """Maps `(batch, embedding_dim, units[i])`."""
        dim, fields = first.shape[1:]
        maps, size = current.shape[-1], self.units[i]
        # The maps are mixed before the products are made: less memory, for
        # there are mostly more fields than maps.
        kernel = ops.reshape(self.kernels[i], (maps, fields * size))
        mixed = ops.reshape(
            ops.matmul(current, kernel), (-1, dim, fields, size)
        )
        total = ops.sum(ops.expand_dims(first, -1) * mixed, axis=2)
        return self.activation(total + self.biases[i])

    def compute_output_shape(self, input_shape):
        maps = sum(self.units)
        if self.split_half:
            maps -= sum(self.units[:-1]) // 2
        return (input_shape[0], maps)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "split_half": self.split_half,
        }
