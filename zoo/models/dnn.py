from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DNN(CTRModel):
    """DNN: a multilayer perceptron on the embeddings, and nothing beside it.

    `sigmoid(mlp([embeddings, dense]))`, as YouTube ranked videos.

    Its arguments are those of `zoo.CTRModel`.

    Example:

    ```python
    model = zoo.DNN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Covington et al., 2016](https://doi.org/10.1145/2959100.2959190)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "RecBole")

    def logits(self, x):
        return x.output(x.mlp())
