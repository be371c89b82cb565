from zoo.layers import FactorizationMachine
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DeepFM(CTRModel):
    """DeepFM: a factorization machine beside a multilayer perceptron.

    `sigmoid(linear(ids, dense) + sum_{i<j} <v_i, v_j> + mlp([v, dense]) +
    bias)`; both parts share the embeddings `v`.

    Its arguments are those of `zoo.CTRModel`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DeepFM(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    dense = random.random((4096, 1), "float32")
    ids = random.integers(0, [1000, 26], (4096, 2), "int32")
    clicks = random.integers(0, 2, (4096, 1))
    model.fit({"dense": dense, "ids": ids}, clicks, batch_size=4096)
    ```

    Reference:
    - [Guo et al., 2017](https://arxiv.org/abs/1703.04247)
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")

    def logits(self, x):
        deep = x.mlp()
        pairs = FactorizationMachine(name="fm")(x.embeddings)
        return [x.linear(), pairs, x.output(deep)]
