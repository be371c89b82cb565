import keras

from zoo.checks import check_rate
from zoo.layers import BiInteraction
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class NFM(CTRModel):
    """NFM: a perceptron on the sum of the products of all pairs of fields.

    `sigmoid(linear(ids, dense) + mlp(sum_{i<j} v_i * v_j) + bias)`, with
    products by element.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        pooled_dropout: float in `[0, 1)`, of the sum. Defaults to `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`. With
            `dense="concat"` the perceptron gets the numeric columns beside the
            sum, as in DeepCTR.

    Example:

    ```python
    model = zoo.NFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [He & Chua, 2017](https://arxiv.org/abs/1708.05027), section 3. The
      authors' code normalizes the sum by batch as well.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "pooled_dropout": (0.0, 0.5),
    }

    def __init__(self, schema, *, pooled_dropout=0.0, **shared):
        check_rate("pooled_dropout", pooled_dropout)
        self.pooled_dropout = pooled_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        pooled = BiInteraction(name="bi_interaction")(x.embeddings)
        pooled = keras.layers.Dropout(
            self.pooled_dropout, name="pooled_dropout"
        )(pooled)
        if self.dense == "concat":
            pooled = x.joined([pooled, x.dense], name="pooled_and_dense")
        return [x.linear(), x.output(x.mlp(pooled))]
