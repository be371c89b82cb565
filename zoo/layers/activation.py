import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import did_you_mean


@keras.saving.register_keras_serializable(package="zoo")
class Dice(keras.layers.Layer):
    """Dice: a PReLU whose corner lies at the mean of its inputs.

    `p * x + (1 - p) * alpha * x` with `p = sigmoid(batch_norm(x))`, and a slope
    `alpha` for each unit, 0 at first.

    Args:
        epsilon: float. Added to the variance. Defaults to `1e-9`.
        momentum: float, of the moving statistics. Defaults to `0.99`.
        affine: boolean, whether `batch_norm` has a learned scale and offset.
            Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ..., units)`.

    Output shape:
        That of the input.

    Example:

    >>> Dice()(np.ones((2, 3), dtype="float32")).shape
    (2, 3)

    Reference:
    - [Zhou et al., 2018](https://arxiv.org/abs/1706.06978), section 5.3.
    """

    def __init__(self, epsilon=1e-9, momentum=0.99, affine=False, **kwargs):
        super().__init__(**kwargs)
        check_boolean("affine", affine)
        self.epsilon = epsilon
        self.momentum = momentum
        self.affine = affine
        self.norm = keras.layers.BatchNormalization(
            center=affine,
            scale=affine,
            epsilon=epsilon,
            momentum=momentum,
            dtype=self.dtype_policy,
            name="norm",
        )

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.alpha = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", name="alpha"
        )

    def call(self, inputs, training=None):
        share = ops.sigmoid(self.norm(inputs, training=training))
        return inputs * (share + (1 - share) * self.alpha)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "momentum": self.momentum,
            "affine": self.affine,
        }


@keras.saving.register_keras_serializable(package="zoo")
class UnitPReLU(keras.layers.PReLU):
    """Keras' PReLU with a slope for each unit, as PyTorch has it.

    Keras would give each place of a sequence slopes of its own.

    Input shape:
        `(batch, ..., units)`.

    Output shape:
        That of the input.

    Example:

    >>> UnitPReLU()(np.ones((2, 5, 4), dtype="float32")).shape
    (2, 5, 4)
    """

    def build(self, input_shape):
        super().build((None, input_shape[-1]))
        # It would take inputs of two axes alone.
        self.input_spec = None


def _prelu(name):
    # FuxiCTR's first slope.
    return UnitPReLU(
        alpha_initializer=keras.initializers.Constant(0.1), name=name
    )


# Activations with weights, which Keras does not know by a name.
_WITH_WEIGHTS = {
    "dice": lambda name: Dice(name=name),
    # DeepCTR-Torch's.
    "affine_dice": lambda name: Dice(1e-8, affine=True, name=name),
    "prelu": _prelu,
}


def check_activation(argument, activation):
    """Raises a `ValueError` unless `activation_layer` takes an activation."""
    if activation is None:
        return
    try:
        if not isinstance(activation, str):
            raise ValueError("no text")
        if activation in _WITH_WEIGHTS:
            return
        keras.activations.get(activation)
    except ValueError as error:
        known = [*_WITH_WEIGHTS, *_names_in_keras()]
        raise ValueError(
            f"`{argument}` must be 'dice', 'prelu', or the name of an "
            "activation of Keras such as 'relu'. "
            f"{did_you_mean(activation, known)}"
            f"Received: {argument}={activation!r}"
        ) from error


def check_activation_function(argument, activation):
    """Raises a `ValueError` unless an activation is one without weights."""
    check_activation(argument, activation)
    if activation in _WITH_WEIGHTS:
        raise ValueError(
            f"`{argument}` must be the name of an activation of Keras, which "
            f"has no weights. Received: {argument}={activation!r}"
        )


def has_weights(activation):
    """Returns whether an activation has weights, unlike those of Keras."""
    return activation in _WITH_WEIGHTS


def activation_layer(activation, name):
    """Returns the layer of an activation.

    Args:
        activation: string, `"dice"`, `"affine_dice"`, `"prelu"` or the name of
            one of Keras.
        name: string, the layer's name.

    Example:

    >>> activation_layer("prelu", name="slope").name
    'slope'
    """
    if activation in _WITH_WEIGHTS:
        return _WITH_WEIGHTS[activation](name)
    return keras.layers.Activation(activation, name=name)


def _names_in_keras():
    return [name for name in dir(keras.activations) if name[0].islower()]
