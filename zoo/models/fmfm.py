from zoo.checks import check_choice
from zoo.layers import WeightedPairs
from zoo.layers.weighted_pairs import KINDS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FmFM(CTRModel):
    """FmFM: a factorization machine with a matrix for each pair of fields.

    `sigmoid(linear(ids, dense) + sum_{i<j} <v_i W_ij, v_j> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        pair_weights: string. `"matrix"`, or `"vector"` for the field-vectorized
            FvFM, `<v_i * w_ij, v_j>`. Defaults to `"matrix"`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    model = zoo.FmFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Sun et al., 2021](https://arxiv.org/abs/2102.12994), section 4.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def __init__(self, schema, *, pair_weights="matrix", **shared):
        check_choice("pair_weights", pair_weights, KINDS)
        self.pair_weights = pair_weights
        super().__init__(schema, **shared)

    def logits(self, x):
        pairs = WeightedPairs(self.pair_weights, name="pairs")
        return [x.linear(), pairs(x.embeddings)]
