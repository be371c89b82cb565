import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import AttentionPooling
from zoo.layers import FieldSelfAttention
from zoo.layers.field_self_attention import check_heads
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class InterHAt(CTRModel):
    """InterHAt: attention picks the interactions of each order that matter.

    A transformer's layer makes `x_1` of the fields. For each order `u_p =
    pool_p(x_p)` and `x_next = u_p * x_1 + x_p`, where `pool_p` is a mean
    weighted by attention; then `sigmoid(<mlp(pool([u_1, ..., u_order])), w> +
    bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        order: integer, the number of fields that the largest interaction has.
            Defaults to `2`, like the others that of BARS' Criteo_x4 run.
        attention_units: integer, the width of all heads together. Defaults to
            `32`, 16 a head.
        num_heads: integer, which must divide `attention_units`. Defaults to
            `2`.
        feedforward_units: integer, the width within the transformer's
            perceptron and within each `pool_p`. Defaults to `500`.
        residual: boolean, whether the attention and the perceptron add their
            input. Defaults to `True`.
        layer_norm: boolean, whether both end in a normalization. Defaults to
            `True`.
        attention_dropout: float in `[0, 1)`, of the weights of the attention
            and of its output. Defaults to `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.InterHAt(schema, feedforward_units=40)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Li et al., 2020](https://doi.org/10.1145/3336191.3371785). With several
      heads FuxiCTR's mix fields by a reshape; a head here is a slice of each
      field's vector, as in the paper.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "order": (1, 4),
        "attention_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        order=2,
        attention_units=32,
        num_heads=2,
        feedforward_units=500,
        residual=True,
        layer_norm=True,
        attention_dropout=0.0,
        **shared,
    ):
        check_positive_integer("order", order)
        check_heads("attention_units", attention_units, num_heads)
        check_positive_integer("feedforward_units", feedforward_units)
        check_boolean("residual", residual)
        check_boolean("layer_norm", layer_norm)
        check_rate("attention_dropout", attention_dropout)
        self.order = order
        self.attention_units = attention_units
        self.num_heads = num_heads
        self.feedforward_units = feedforward_units
        self.residual = residual
        self.layer_norm = layer_norm
        self.attention_dropout = attention_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = self._feedforward(self._attend(x.embeddings))
        current, vectors = fields, []
        for i in range(1, self.order + 1):
            vector = self._pool(current, f"pooling_{i}")
            vectors.append(vector)
            current = ops.expand_dims(vector, axis=1) * fields + current
        pooled = self._pool(ops.stack(vectors, axis=1), "order_pooling")
        return x.output(x.mlp(pooled))

    def _pool(self, vectors, name):
        return AttentionPooling(self.feedforward_units, name=name)(vectors)

    def _attend(self, fields):
        attended = FieldSelfAttention(
            self.attention_units,
            self.num_heads,
            scaled=True,
            dropout=self.attention_dropout,
            name="attention",
        )(fields)
        dim = fields.shape[-1]
        if self.attention_units != dim:
            attended = keras.layers.Dense(
                dim,
                use_bias=False,
                kernel_initializer="glorot_normal",
                name="attention_output",
            )(attended)
        attended = keras.layers.Dropout(
            self.attention_dropout, name="attention_dropout"
        )(ops.relu(attended))
        return self._ended(fields, attended, "attention_norm")

    def _feedforward(self, fields):
        hidden = keras.layers.Dense(
            self.feedforward_units,
            activation="relu",
            kernel_initializer="glorot_normal",
            name="feedforward_1",
        )(fields)
        outputs = keras.layers.Dense(
            fields.shape[-1],
            kernel_initializer="glorot_normal",
            name="feedforward_2",
        )(hidden)
        return self._ended(fields, outputs, "feedforward_norm")

    def _ended(self, inputs, outputs, name):
        if self.residual:
            outputs = outputs + inputs
        if not self.layer_norm:
            return outputs
        return keras.layers.LayerNormalization(epsilon=1e-5, name=name)(outputs)
