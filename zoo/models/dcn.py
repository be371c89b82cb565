import keras

from zoo.checks import check_boolean
from zoo.checks import check_not_negative
from zoo.checks import check_positive_integer
from zoo.layers import Cross
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DCN(CTRModel):
    """Deep & Cross Network: vector cross layers beside a multilayer perceptron.

    With `x0 = [embeddings, dense]` and `x_next = x0 * <x, w> + b + x`:
    `sigmoid(linear(ids, dense) + <[x_last, mlp(x0)], w> + bias)`. The linear
    part is the published CowClip code's addition.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_cross_layers: integer. Defaults to `3`.
        cross_l2: float. L2 on the cross layers' weight vectors; the paper never
            scales it with the batch. Defaults to `1e-5`.
        linear: boolean, whether it has the linear part. Defaults to `True`;
            the paper's and FuxiCTR's DCN have none.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DCN(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    dense = random.random((4096, 1), "float32")
    ids = random.integers(0, [1000, 26], (4096, 2), "int32")
    clicks = random.integers(0, 2, (4096, 1))
    model.fit({"dense": dense, "ids": ids}, clicks, batch_size=4096)
    ```

    Reference:
    - [Wang et al., 2017](https://arxiv.org/abs/1708.05123)
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "torch-rechub")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_cross_layers": (1, 6),
    }

    def __init__(
        self,
        schema,
        *,
        num_cross_layers=3,
        cross_l2=1e-5,
        linear=True,
        **shared,
    ):
        check_positive_integer("num_cross_layers", num_cross_layers)
        check_not_negative("cross_l2", cross_l2)
        check_boolean("linear", linear)
        self.linear = linear
        self.num_cross_layers = num_cross_layers
        self.cross_l2 = cross_l2
        super().__init__(schema, **shared)

    def logits(self, x):
        parts = [x.mlp()] if self.hidden_units else []
        regularizer = keras.regularizers.L2(self.cross_l2)
        crossed = x.flat
        for i in range(1, self.num_cross_layers + 1):
            crossed = Cross(
                regularizer if self.cross_l2 else None, name=f"cross_{i}"
            )([x.flat, crossed])
        joined = x.joined([crossed, *parts], name="cross_and_deep")
        linear = [x.linear()] if self.linear else []
        return [*linear, x.output(joined)]
