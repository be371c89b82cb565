from zoo.layers import FactorizationMachine
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FM(CTRModel):
    """FM: a factorization machine, all pairs of fields by inner products.

    `sigmoid(linear(ids, dense) + sum_{i<j} <v_i, v_j> + bias)`.

    Its arguments are those of `zoo.CTRModel`; it has no hidden layers. With
    `dense="concat"` numeric columns are in the linear part alone, as in
    DeepCTR.

    Example:

    ```python
    model = zoo.FM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Rendle, 2010](https://doi.org/10.1109/ICDM.2010.127), equation 1.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def logits(self, x):
        return [x.linear(), FactorizationMachine(name="fm")(x.embeddings)]
