from zoo.layers import LorentzPairs
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class LorentzFM(CTRModel):
    """LorentzFM: pairs of fields as triangles on a hyperboloid, nothing else.

    With `u_i = sqrt(1 + |v_i|^2)` and the Lorentzian product
    `<i, j> = <v_i, v_j> - u_i u_j`:
    `sigmoid(sum_{i<j} (1 - <i, j> - u_i - u_j) / (u_i u_j) + bias)`.
    It has no linear part. The bias is the zoo's addition; the original has
    none.

    Its arguments are those of `zoo.CTRModel`; it has no hidden layers.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.LorentzFM(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xu and Wu, 2020](https://arxiv.org/abs/1911.09821), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def logits(self, x):
        return LorentzPairs(name="pairs")(x.embeddings)
