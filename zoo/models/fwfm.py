from keras import ops

from zoo.checks import check_choice
from zoo.layers import PairProducts
from zoo.models.ctr_model import CTRModel
from zoo.registry import network

LINEAR_TYPES = ("FeLV", "FiLV", "LW")


@network
class FwFM(CTRModel):
    """FwFM: a factorization machine with a weight for each pair of fields.

    `sigmoid(linear + sum_{i<j} r_ij <v_i, v_j> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        linear_type: string, the paper's name of the linear part: `"FeLV"` for
            `sum_i <v_i, w_i>` with a second vector `w_i` of each id, `"FiLV"`
            with one of each field, or `"LW"` for a weight of each id and each
            numeric column. Defaults to `"FeLV"`, as in BARS' Criteo_x1 run.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    model = zoo.FwFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Pan et al., 2018](https://arxiv.org/abs/1806.03514), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def __init__(self, schema, *, linear_type="FeLV", **shared):
        check_choice("linear_type", linear_type, LINEAR_TYPES)
        self.linear_type = linear_type
        super().__init__(schema, **shared)

    def logits(self, x):
        products = PairProducts("inner", name="pairs")(x.embeddings)
        return [self._linear(x), x.output(products, name="pair_weights")]

    def _linear(self, x):
        if self.linear_type == "LW":
            return x.linear()
        if self.linear_type == "FiLV":
            return x.output(x.flat, name="linear_fields")
        weights = x.embeddings_of("linear_vectors")
        return ops.sum(x.embeddings * weights, axis=(1, 2))[:, None]
