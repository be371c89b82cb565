import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import SimilarityInteraction
from zoo.models.ctr_model import CTRModel
from zoo.registry import network

INTERACTIONS = ("SAM2A", "SAM2E", "SAM3A", "SAM3E")
AGGREGATIONS = ("concat", "weighted", "mean", "sum")


@network
class SAM(CTRModel):
    """SAM: pairs of fields weighted by their similarity, without a softmax.

    With similarities `s_ij` of the fields, `SAM2A` is `sigmoid(<flat(s_ij
    W_ij), w> + bias)`, and `SAM2E` has `v_i * v_j` in the place of the weights
    `W_ij`. `SAM3A` is layers of `v_i = sum_j s_ij W_ij + v_i Q`, whose last is
    aggregated over the fields, and `SAM3E` has `v_i * v_j` again.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        interaction: string, one of these. Defaults to `"SAM3A"`, like the
            others that of BARS' Criteo_x1 run.
        aggregation: string, what is made of the fields: `"concat"`, all of
            them side by side, the only one for `"SAM2A"` and `"SAM2E"`; their
            `"mean"` or `"sum"`; or `"weighted"`, a sum with a weight for each.
            Defaults to `"weighted"`.
        num_layers: integer, of `"SAM3A"` and `"SAM3E"`; the others have one.
            Defaults to `5`.
        residual: boolean, whether `"SAM3A"` and `"SAM3E"` add `v_i Q`. Defaults
            to `True`.
        interaction_dropout: float in `[0, 1)`, behind each layer. Defaults to
            `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Raises:
        ValueError: as `zoo.CTRModel` does, and for an `aggregation` that the
            `interaction` has not.

    Example:

    ```python
    model = zoo.SAM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Cheng and Xue, 2021](https://arxiv.org/abs/2105.05563)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        "num_layers": (1, 5),
        "interaction_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        interaction="SAM3A",
        aggregation="weighted",
        num_layers=5,
        residual=True,
        interaction_dropout=0.0,
        **shared,
    ):
        check_choice("interaction", interaction, INTERACTIONS)
        check_choice("aggregation", aggregation, AGGREGATIONS)
        if interaction.startswith("SAM2") and aggregation != "concat":
            raise ValueError(
                f"`aggregation` must be 'concat' for {interaction!r}, which "
                "has pairs of fields. Received: "
                f"aggregation={aggregation!r}"
            )
        check_positive_integer("num_layers", num_layers)
        check_boolean("residual", residual)
        check_rate("interaction_dropout", interaction_dropout)
        self.interaction = interaction
        self.aggregation = aggregation
        self.num_layers = num_layers
        self.residual = residual
        self.interaction_dropout = interaction_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        pooled, fields = self.interaction.startswith("SAM3"), x.embeddings
        for i in range(1, (self.num_layers if pooled else 1) + 1):
            fields = SimilarityInteraction(
                products=self.interaction.endswith("E"),
                pooled=pooled,
                residual=self.residual and pooled,
                name=f"interaction_{i}",
            )(fields)
            fields = keras.layers.Dropout(
                self.interaction_dropout, name=f"interaction_dropout_{i}"
            )(fields)
        return x.output(self._aggregated(fields))

    def _aggregated(self, fields):
        if self.aggregation == "mean":
            return ops.mean(fields, axis=1)
        if self.aggregation == "sum":
            return ops.sum(fields, axis=1)
        if self.aggregation == "concat":
            return keras.layers.Flatten()(fields)
        weighted = keras.layers.Dense(
            1,
            use_bias=False,
            kernel_initializer="ones",
            name="field_weights",
        )(ops.swapaxes(fields, 1, 2))
        return keras.layers.Flatten()(weighted)
