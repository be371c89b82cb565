import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import FieldSelfAttention
from zoo.layers.field_self_attention import RESIDUALS
from zoo.layers.field_self_attention import check_heads
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class AutoInt(CTRModel):
    """AutoInt: layers of self-attention over the fields, beside a perceptron.

    `v = relu(norm(attention(v) + v W))` in each layer, without `W` where the
    width stays; then `sigmoid(linear(ids, dense) + <flat(v), w> + mlp(x) +
    bias)`. With the perceptron it is AutoInt+.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention_units: integer, the width of `v`, all heads together.
            Defaults to `256`, like the others that of BARS' Criteo_x1 run.
        num_heads: integer, which must divide `attention_units`. Defaults to
            `2`.
        num_layers: integer, of attention. Defaults to `3`.
        scaled: boolean, whether attention divides by the root of a head's
            width. Defaults to `False`.
        residual: string, what a layer adds: `"input"`, projected by `W` only if
            the width changes, `"projected"`, in any case, as in the paper and
            DeepCTR, or `None`, nothing. Defaults to `"input"`.
        layer_norm: boolean. Defaults to `True`.
        attention_dropout: float in `[0, 1)`. Defaults to `0.0`.
        linear: boolean, whether it has the linear part. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.AutoInt(schema, attention_units=16)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Song et al., 2019](https://arxiv.org/abs/1810.11921), section 4.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_layers": (1, 5),
        "attention_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        attention_units=256,
        num_heads=2,
        num_layers=3,
        scaled=False,
        residual="input",
        layer_norm=True,
        attention_dropout=0.0,
        linear=True,
        **shared,
    ):
        check_heads("attention_units", attention_units, num_heads)
        check_positive_integer("num_layers", num_layers)
        check_boolean("scaled", scaled)
        check_choice("residual", residual, RESIDUALS)
        check_boolean("layer_norm", layer_norm)
        check_rate("attention_dropout", attention_dropout)
        check_boolean("linear", linear)
        self.attention_units = attention_units
        self.num_heads = num_heads
        self.num_layers = num_layers
        self.scaled = scaled
        self.residual = residual
        self.layer_norm = layer_norm
        self.attention_dropout = attention_dropout
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        attended = x.embeddings
        for i in range(1, self.num_layers + 1):
            attended = self._attend(attended, i)
        flat = keras.layers.Flatten()(attended)
        parts = [x.output(flat, name="attention_logit")]
        if self.hidden_units:
            parts.append(x.output(x.mlp()))
        return [x.linear(), *parts] if self.linear else parts

    def _attend(self, fields, i):
        attended = FieldSelfAttention(
            self.attention_units,
            self.num_heads,
            scaled=self.scaled,
            residual=self.residual,
            dropout=self.attention_dropout,
            name=f"attention_{i}",
        )(fields)
        if self.layer_norm:
            attended = keras.layers.LayerNormalization(
                epsilon=1e-5, name=f"attention_norm_{i}"
            )(attended)
        return ops.relu(attended)
