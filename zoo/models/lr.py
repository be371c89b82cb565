from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class LR(CTRModel):
    """LR: logistic regression, a weight for each id and each numeric column.

    `sigmoid(linear(ids, dense) + bias)`. The baseline of all networks; it has
    no embeddings and no hidden layers.

    Its arguments are those of `zoo.CTRModel`.

    Example:

    ```python
    model = zoo.LR(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Richardson et al., 2007](https://doi.org/10.1145/1242572.1242643)
    """

    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def logits(self, x):
        return x.linear()
