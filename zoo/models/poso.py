import keras

from zoo.checks import check_choice
from zoo.checks import check_names
from zoo.checks import check_positive_integer_or_none
from zoo.models.ctr_model import CTRModel
from zoo.models.gates import gated_mlp
from zoo.registry import network


@network
class POSO(CTRModel):
    """POSO: a perceptron whose layers are gated by what tells users apart.

    `h_next = activation(h W + b) * 2 sigmoid(relu(p U + c) V + d)` and
    `sigmoid(<h, w> + bias)`. `p` are the embeddings of personal columns, such
    as whether a user is new. As gates they are not drowned by other columns.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        personal_columns: tuple of the names of fields, sequences, and with
            `dense="embed"` numeric columns. Defaults to `()`, all.
        gate_units: integer, the width of `U`, or `None` for that of the gated
            layer. Defaults to `32`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["days"], {"user": 1000, "hour": 26})
    model = zoo.POSO(schema, personal_columns=("days",))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Dai et al., 2021](https://arxiv.org/abs/2108.04690), its masked
      perceptron. There, attention and mixtures of experts have gates, too.
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "gate_units": (8, 128, "log"),
    }

    def __init__(self, schema, *, personal_columns=(), gate_units=32, **shared):
        check_names("personal_columns", personal_columns)
        check_positive_integer_or_none("gate_units", gate_units)
        self.personal_columns = tuple(personal_columns)
        self.gate_units = gate_units
        super().__init__(schema, **shared)

    def logits(self, x):
        for name in self.personal_columns:
            check_choice("personal_columns", name, x.names)
        names = list(self.personal_columns) or x.names
        personal = keras.layers.Flatten(name="personal")(x.columns(names))
        return x.output(
            gated_mlp(x, x.flat, personal, self.hidden_units, self.gate_units)
        )
