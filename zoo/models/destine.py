import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import DisentangledAttention
from zoo.layers.field_self_attention import check_heads
from zoo.models.ctr_model import CTRModel
from zoo.registry import network

RESIDUALS = ("each_layer", "last_layer", None)


@network
class DESTINE(CTRModel):
    """DESTINE: self-attention with weights of pairs and of single fields.

    `v = attention(v) + v W + c` in each layer, with the attention of
    `zoo.layers.DisentangledAttention`; then `sigmoid(linear(ids, dense) +
    <flat(v), w> + mlp(x) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention_units: integer, the width of `v`, all heads together.
            Defaults to `128`, like the others that of BARS' Criteo_x1 run.
        num_heads: integer, which must divide `attention_units`. Defaults to
            `1`.
        num_layers: integer, of attention. Defaults to `4`.
        scaled: boolean, whether attention divides by the root of a head's
            width. Defaults to `True`.
        relu_projections: boolean, whether queries, keys and values go through
            a ReLU. Defaults to `False`.
        residual: string, `"each_layer"`, `"last_layer"` for the embeddings
            times `W` behind the last layer alone, or `None` for no residual.
            Defaults to `"each_layer"`.
        attention_dropout: float in `[0, 1)`. Defaults to `0.2`.
        linear: boolean, whether it has the linear part. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DESTINE(schema, attention_units=16)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xu et al., 2021](https://arxiv.org/abs/2101.03654). With several heads
      the authors' code and FuxiCTR's mix fields by a reshape; a head here is a
      slice of each field's vector, as in the paper.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_layers": (1, 5),
        "attention_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        attention_units=128,
        num_heads=1,
        num_layers=4,
        scaled=True,
        relu_projections=False,
        residual="each_layer",
        attention_dropout=0.2,
        linear=False,
        **shared,
    ):
        check_heads("attention_units", attention_units, num_heads)
        check_positive_integer("num_layers", num_layers)
        check_boolean("scaled", scaled)
        check_boolean("relu_projections", relu_projections)
        check_choice("residual", residual, RESIDUALS)
        check_rate("attention_dropout", attention_dropout)
        check_boolean("linear", linear)
        self.attention_units = attention_units
        self.num_heads = num_heads
        self.num_layers = num_layers
        self.scaled = scaled
        self.relu_projections = relu_projections
        self.residual = residual
        self.attention_dropout = attention_dropout
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        attended = x.embeddings
        for i in range(1, self.num_layers + 1):
            attended = self._attend(attended, f"attention_{i}")
        if self.residual == "last_layer":
            attended = attended + keras.layers.Dense(
                self.attention_units,
                kernel_initializer="glorot_normal",
                name="residual",
            )(x.embeddings)
        flat = keras.layers.Flatten()(attended)
        parts = [x.output(flat, name="attention_logit")]
        if self.hidden_units:
            parts.append(x.output(x.mlp()))
        return [x.linear(), *parts] if self.linear else parts

    def _attend(self, fields, name):
        return DisentangledAttention(
            self.attention_units,
            self.num_heads,
            scaled=self.scaled,
            residual="projected" if self.residual == "each_layer" else None,
            use_bias=True,
            activation="relu" if self.relu_projections else None,
            dropout=self.attention_dropout,
            name=name,
        )(fields)
