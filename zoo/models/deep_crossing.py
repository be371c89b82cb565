import keras

from zoo.checks import check_boolean
from zoo.layers.activation import activation_layer
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DeepCrossing(CTRModel):
    """DeepCrossing: residual units on the embeddings, one behind the other.

    `x_next = activation(x + activation(x W + b) U + c)` from
    `x0 = [embeddings, dense]`, and `sigmoid(<x, w> + bias)`. With
    `normalization` it stands before the outer activation.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        residual: boolean. `False` leaves `x +` out. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`;
            `hidden_units` are the widths of `W` in each unit.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DeepCrossing(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Shan et al., 2016](https://doi.org/10.1145/2939672.2939704), section 4.
      As in FuxiCTR, embeddings pass no activation before the first unit.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)

    def __init__(self, schema, *, residual=True, **shared):
        check_boolean("residual", residual)
        self.residual = residual
        super().__init__(schema, **shared)

    def logits(self, x):
        return x.output(x.mlp(linear=self._unit))

    def _unit(self, x, i, units):
        """Returns the input of the outer activation of the unit `i`."""
        kind = self.activation
        if isinstance(kind, tuple):
            kind = kind[i - 1]
        inner = _linear(units, f"inner_{i}")(x)
        if kind is not None:
            inner = activation_layer(kind, f"inner_activation_{i}")(inner)
        outer = _linear(x.shape[-1], f"hidden_{i}")(inner)
        if not self.residual:
            return outer
        return keras.layers.Add(name=f"residual_{i}")([x, outer])


def _linear(units, name):
    return keras.layers.Dense(
        units, kernel_initializer="glorot_normal", name=name
    )
