import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class SessionBias(keras.layers.Layer):
    """Tells events of sessions where they stand.

    `x[k, t, c] + session[k] + place[t] + unit[c]`, each bias learned and zero
    at first.

    Input shape:
        `(batch, sessions, length, width)`.

    Output shape:
        That of the input.

    Example:

    >>> SessionBias()(np.ones((2, 3, 5, 4), dtype="float32")).shape
    (2, 3, 5, 4)

    Reference:
    - [Feng et al., 2019](https://arxiv.org/abs/1905.06482), section 3.3
    """

    def build(self, input_shape):
        self.biases = [
            self.add_weight(
                shape=tuple(
                    size if axis == of else 1
                    for axis, size in enumerate(input_shape[1:])
                ),
                initializer="zeros",
                name=name,
            )
            for of, name in enumerate(("session", "place", "unit"))
        ]

    def call(self, inputs):
        session, place, unit = self.biases
        return inputs + ops.expand_dims(session + place + unit, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape
