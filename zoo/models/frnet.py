import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import FactorizationMachine
from zoo.layers import FieldSelfAttention
from zoo.models.ctr_model import CTRModel
from zoo.registry import network

GATES = ("bit", "vector")


@network
class FRNet(CTRModel):
    """FRNet: a DeepFM on embeddings that the whole row has refined.

    A unit gives each field `r(v) = (attention(v) P) * relu(context(v) Q)`; the
    context is a perceptron on all fields, the same for each. With two units and
    the gate `g = sigmoid(r_1(v))`, `u = g * v + (1 - g) * r_2(v)`:
    `sigmoid(linear(ids, dense) + sum_{i<j} <u_i, u_j> + mlp(u) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention_units: integer, the width of the attention. Defaults to `10`,
            like `context_units` that of the authors' code.
        context_units: tuple of integers, the widths of the context's
            perceptron, which has the `normalization` of the model. Defaults to
            `(256,)`.
        gate: string, `"bit"` for a gate at each number of a vector or
            `"vector"` for one at each vector. Defaults to `"bit"`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` makes the DeepFM an FM. With `dense="concat"`
            numeric columns are in the linear part alone.

    Example:

    ```python
    model = zoo.FRNet(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Wang et al., 2022](https://arxiv.org/abs/2204.08758)
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "attention_units": (8, 64, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        attention_units=10,
        context_units=(256,),
        gate="bit",
        **shared,
    ):
        check_positive_integer("attention_units", attention_units)
        check_positive_integers("context_units", context_units)
        check_choice("gate", gate, GATES)
        self.attention_units = attention_units
        self.context_units = tuple(context_units)
        self.gate = gate
        super().__init__(schema, **shared)

    def logits(self, x):
        weights = self._unit(x, "gate")
        if self.gate == "vector":
            weights = ops.sum(weights, axis=-1, keepdims=True)
        weights = ops.sigmoid(weights)
        complement = self._unit(x, "complement")
        refined = weights * x.embeddings + (1 - weights) * complement
        parts = [x.linear(), FactorizationMachine(name="fm")(refined)]
        if self.hidden_units:
            deep = x.mlp(keras.layers.Flatten()(refined))
            parts.append(x.output(deep))
        return parts

    def _unit(self, x, name):
        """Returns `r` of each field."""
        fields = x.embeddings
        attended = FieldSelfAttention(
            self.attention_units, use_bias=True, name=f"{name}_attention"
        )(fields)
        context = x.mlp(
            keras.layers.Flatten()(fields),
            self.context_units,
            name=f"{name}_context",
            activation="relu",
            dropout=0.0,
        )
        own, common = (
            keras.layers.Dense(
                fields.shape[-1],
                activation=activation,
                kernel_initializer="glorot_normal",
                name=f"{name}_{of}",
            )(inputs)
            for of, inputs, activation in (
                ("of_field", attended, None),
                ("of_row", context, "relu"),
            )
        )
        return own * ops.expand_dims(common, axis=1)
