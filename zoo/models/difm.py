import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.layers import FieldSelfAttention
from zoo.layers.field_self_attention import RESIDUALS
from zoo.layers.field_self_attention import check_heads
from zoo.models.ctr_model import CTRModel
from zoo.models.ifm import refined
from zoo.registry import network


@network
class DIFM(CTRModel):
    """DIFM: a factorization machine reweighted by attention and a perceptron.

    With embeddings `v` of the fields, their linear weights `u` and factors
    `m = flat(relu(attention(v) + v W)) P + mlp(v) Q`:
    `sigmoid(sum_i m_i u_i + sum_{i<j} <m_i v_i, m_j v_j> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention_units: integer, the width of all heads together. Defaults to
            `64`, like `num_heads` that of DeepCTR.
        num_heads: integer, which must divide `attention_units`. Defaults to
            `8`.
        scaled: boolean, whether attention divides by the root of a head's
            width. Defaults to `True`.
        residual: string, what the attention adds: `"projected"`, the fields
            times `W`, `"input"`, the same but without `W` where
            `attention_units` is `embedding_dim`, or `None`, nothing. Defaults
            to `"projected"`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`. With
            `dense="concat"` numeric columns are in the linear part alone and
            have no factors, as in DeepCTR.

    Example:

    ```python
    model = zoo.DIFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Lu et al., 2020](https://doi.org/10.24963/ijcai.2020/434)
    """

    DENSE = "embed"
    ORIGINALS = ("DeepCTR-Torch",)

    def __init__(
        self,
        schema,
        *,
        attention_units=64,
        num_heads=8,
        scaled=True,
        residual="projected",
        **shared,
    ):
        check_heads("attention_units", attention_units, num_heads)
        check_boolean("scaled", scaled)
        check_choice("residual", residual, RESIDUALS)
        self.attention_units = attention_units
        self.num_heads = num_heads
        self.scaled = scaled
        self.residual = residual
        super().__init__(schema, **shared)

    def logits(self, x):
        attended = FieldSelfAttention(
            self.attention_units,
            self.num_heads,
            scaled=self.scaled,
            residual=self.residual,
            name="attention",
        )(x.embeddings)
        vectors = keras.layers.Flatten()(keras.layers.ReLU()(attended))
        bits = x.mlp(keras.layers.Flatten()(x.embeddings))
        fields = x.embeddings.shape[1]
        factors = [
            keras.layers.Dense(
                fields,
                use_bias=False,
                kernel_initializer="glorot_normal",
                name=name,
            )(inputs)
            for name, inputs in (
                ("vector_factors", vectors),
                ("bit_factors", bits),
            )
        ]
        return refined(x, keras.layers.Add(name="factors")(factors))
