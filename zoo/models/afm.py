import keras

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import AttentionPooling
from zoo.layers import FactorizationMachine
from zoo.layers import PairProducts
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class AFM(CTRModel):
    """AFM: a factorization machine whose pairs are weighted by attention.

    With `p_ij = v_i * v_j` by element and `a = softmax(<relu(p W + b), h>)`
    over all pairs: `sigmoid(linear(ids, dense) + <sum a_ij p_ij, w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention_units: integer, the width of `W`. Defaults to `32`, as in
            BARS' Criteo_x1 run.
        attention: boolean. `False` for the sum of all pairs, which is `zoo.FM`.
            Defaults to `True`.
        attention_dropout: float in `[0, 1)`, of the weights `a`. Defaults to
            `0.0`.
        pooled_dropout: float in `[0, 1)`, of the sum. Defaults to `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    model = zoo.AFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xiao et al., 2017](https://arxiv.org/abs/1708.04617), section 3. The
      authors' code takes the softmax over one number, so that all weights are
      1; this is the paper's.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")
    SEARCH_SPACE = {
        "attention_units": (8, 64),
        "pooled_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        attention_units=32,
        attention=True,
        attention_dropout=0.0,
        pooled_dropout=0.0,
        **shared,
    ):
        check_positive_integer("attention_units", attention_units)
        check_boolean("attention", attention)
        check_rate("attention_dropout", attention_dropout)
        check_rate("pooled_dropout", pooled_dropout)
        self.attention_units = attention_units
        self.attention = attention
        self.attention_dropout = attention_dropout
        self.pooled_dropout = pooled_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        if not self.attention:
            return [x.linear(), FactorizationMachine(name="fm")(x.embeddings)]
        products = PairProducts("hadamard", name="pairs")(x.embeddings)
        pooled = AttentionPooling(
            self.attention_units, self.attention_dropout, name="attention"
        )(products)
        pooled = keras.layers.Dropout(
            self.pooled_dropout, name="pooled_dropout"
        )(pooled)
        return [x.linear(), x.output(pooled)]
