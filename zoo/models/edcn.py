import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.checks import check_positive_integer
from zoo.layers import Cross
from zoo.layers import FieldRegulation
from zoo.models.ctr_model import CTRModel
from zoo.models.hidden_layers import normalization_layer
from zoo.models.network_arguments import check_one_for_all
from zoo.registry import network

BRIDGES = ("hadamard", "sum", "concat", "attention")


@network
class EDCN(CTRModel):
    """EDCN: cross layers and a perceptron that share what each layer finds.

    From `bridge = x`, for each layer: `cross, deep = regulate(bridge)`, two
    copies with fields scaled by learned shares (`zoo.layers.FieldRegulation`);
    then `cross = x0 * <cross, w> + b`, where `x0` is the first such copy,
    `deep = activation(deep W + c)` and `bridge = cross * deep`. Last
    `sigmoid(<[cross, deep, bridge], v> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_cross_layers: integer. Defaults to `3`, as in BARS' Criteo_x1 run.
        bridge: string, how a bridge joins the two: `"hadamard"` for the
            product, `"sum"`, `"concat"` for a layer on both side by side, or
            `"attention"` for a sum weighted by attention within each. Defaults
            to `"hadamard"`.
        temperature: number, positive; the higher, the more alike are the
            shares of fields. Defaults to `20`, as in BARS' Criteo_x1 run.
        residual: boolean. `True` for the paper's cross layer, which adds its
            input: `x0 * <cross, w> + b + cross`. Defaults to `False`, as in
            FuxiCTR.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`. All
            layers are as wide as the embeddings side by side, so that it has no
            `hidden_units`, and one `activation` and `dropout`;
            `normalization` is that of the regulated copies.

    Example:

    ```python
    model = zoo.EDCN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chen et al., 2021](https://doi.org/10.1145/3459637.3481915), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_cross_layers": (1, 5),
    }

    def __init__(
        self,
        schema,
        *,
        num_cross_layers=3,
        bridge="hadamard",
        temperature=20,
        residual=False,
        **shared,
    ):
        check_positive_integer("num_cross_layers", num_cross_layers)
        check_choice("bridge", bridge, BRIDGES)
        check_positive("temperature", temperature)
        check_boolean("residual", residual)
        self.num_cross_layers = num_cross_layers
        self.bridge = bridge
        self.temperature = temperature
        self.residual = residual
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        shape = x.embeddings.shape[1:]
        bridge = first = None
        for i in range(1, self.num_cross_layers + 1):
            fields = x.embeddings
            if bridge is not None:
                fields = keras.layers.Reshape(shape)(bridge)
            cross = self._regulated(fields, f"cross_{i}")
            deep = self._regulated(fields, f"deep_{i}")
            first = cross if first is None else first
            cross = Cross(residual=self.residual, name=f"cross_{i}")(
                [first, cross]
            )
            deep = x.mlp(
                deep, (deep.shape[-1],), f"deep_{i}", normalization=None
            )
            bridge = self._bridge(x, cross, deep, f"bridge_{i}")
        return x.output(x.joined([cross, deep, bridge], name="joined"))

    def _regulated(self, fields, name):
        regulated = FieldRegulation(
            self.temperature, name=f"{name}_regulation"
        )(fields)
        flat = keras.layers.Flatten()(regulated)
        if self.normalization is None:
            return flat
        return normalization_layer(self.normalization, f"{name}_norm")(flat)

    def _bridge(self, x, cross, deep, name):
        if self.bridge == "hadamard":
            return cross * deep
        if self.bridge == "sum":
            return cross + deep
        width = cross.shape[-1]
        if self.bridge == "concat":
            both = x.joined([cross, deep], name=f"{name}_inputs")
            return x.mlp(
                both,
                (width,),
                name,
                activation="relu",
                normalization=None,
                dropout=0.0,
            )
        hidden, score = (
            keras.layers.Dense(
                width,
                activation=activation,
                use_bias=use_bias,
                kernel_initializer="glorot_normal",
                name=f"{name}_{part}",
            )
            for part, activation, use_bias in (
                ("hidden", "relu", True),
                ("score", "softmax", False),
            )
        )
        return score(hidden(cross)) * cross + score(hidden(deep)) * deep
