from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class WideDeep(CTRModel):
    """Wide & Deep: a linear model beside a multilayer perceptron.

    `sigmoid(linear(ids, dense) + mlp([embeddings, dense]) + bias)`. The
    simplest of the networks and a strong baseline.

    Its arguments are those of `zoo.CTRModel`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.WideDeep(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    dense = random.random((4096, 1), "float32")
    ids = random.integers(0, [1000, 26], (4096, 2), "int32")
    clicks = random.integers(0, 2, (4096, 1))
    model.fit({"dense": dense, "ids": ids}, clicks, batch_size=4096)
    ```

    Reference:
    - [Cheng et al., 2016](https://arxiv.org/abs/1606.07792)
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")

    def logits(self, x):
        deep = x.mlp()
        return [x.linear(), x.output(deep)]
