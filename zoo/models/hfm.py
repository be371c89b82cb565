import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.layers import CircularPairs
from zoo.layers.circular_pairs import KINDS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class HFM(CTRModel):
    """HFM: a factorization machine whose pairs are circular correlations.

    With `c_ij` the circular correlation or convolution of `v_i` and `v_j`, a
    vector as long as these (`zoo.layers.CircularPairs`):
    `sigmoid(linear(ids, dense) + <sum_{i<j} c_ij, h> + bias)`. The neural HFM+,
    `deep=True`, has `mlp([c_01, c_02, ...])` in the place of the sum.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        interaction: string, `"correlation"`, `"convolution"` or `"hadamard"`,
            the product by element. Defaults to `"correlation"`, that of the
            published Criteo_x1.
        deep: boolean, whether it is HFM+. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; only
            HFM+ has hidden layers.

    Example:

    ```python
    model = zoo.HFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Tay et al., 2019](https://doi.org/10.1609/aaai.v33i01.33015143)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def __init__(
        self, schema, *, interaction="correlation", deep=False, **shared
    ):
        check_choice("interaction", interaction, KINDS)
        check_boolean("deep", deep)
        self.interaction = interaction
        self.deep = deep
        super().__init__(schema, **shared)

    def logits(self, x):
        output = "pairs" if self.deep else "sum"
        pairs = CircularPairs(self.interaction, output, name="pairs")(
            x.embeddings
        )
        if self.deep:
            pairs = x.mlp(keras.layers.Flatten(name="flat_pairs")(pairs))
        return [x.linear(), x.output(pairs)]
