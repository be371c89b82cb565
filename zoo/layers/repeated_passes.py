import keras

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class RepeatedPasses(keras.layers.Layer):
    """Runs layers several times while a model trains, for dropout to differ.

    While it does not train, all outputs are the same and computed once.

    Args:
        stack: list of layers, each behind the last.
        passes: integer, how often. Defaults to `2`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        What the first layer takes.

    Output shape:
        List, for each pass, of what the last layer gives.

    Example:

    >>> x = np.ones((2, 3), dtype="float32")
    >>> first, second = RepeatedPasses([keras.layers.Dropout(0.5)])(x)

    Reference:
    - [Li et al., 2025](https://arxiv.org/abs/2505.17999)
    """

    def __init__(self, stack, passes=2, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("passes", passes)
        self.stack = list(stack)
        self.passes = passes

    def build(self, input_shape):
        for layer in self.stack:
            # One that comes from a file is built already.
            if not layer.built:
                layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs, training=None):
        if not training:
            return [self._pass(inputs, training)] * self.passes
        return [self._pass(inputs, training) for _ in range(self.passes)]

    def _pass(self, outputs, training):
        for layer in self.stack:
            outputs = layer(outputs, training=training)
        return outputs

    def compute_output_shape(self, input_shape):
        for layer in self.stack:
            input_shape = layer.compute_output_shape(input_shape)
        return [input_shape] * self.passes

    def get_config(self):
        stack = [
            keras.saving.serialize_keras_object(layer) for layer in self.stack
        ]
        return {**super().get_config(), "stack": stack, "passes": self.passes}

    @classmethod
    def from_config(cls, config):
        stack = keras.saving.deserialize_keras_object(config["stack"])
        return cls(**{**config, "stack": stack})
