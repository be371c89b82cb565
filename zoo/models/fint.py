import keras

from zoo.checks import check_positive_integer
from zoo.layers import FieldCross
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FINT(CTRModel):
    """FINT: fields times mixes of all fields, in layers, then a perceptron.

    Layers `x_next[i] = x[i] * sum_j W[j, i] v_j + u_i * x[i]` by element, from
    the fields' embeddings `v` on (`zoo.layers.FieldCross`):
    `sigmoid(mlp(x) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_layers: integer. Defaults to `3`, the authors'.
        **shared: arguments of `zoo.CTRModel`, such as `hidden_units`.

    Example:

    ```python
    model = zoo.FINT(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhao et al., 2021](https://arxiv.org/abs/2107.01999)
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_layers": (1, 5),
    }

    def __init__(self, schema, *, num_layers=3, **shared):
        check_positive_integer("num_layers", num_layers)
        self.num_layers = num_layers
        super().__init__(schema, **shared)

    def logits(self, x):
        current = x.embeddings
        for i in range(1, self.num_layers + 1):
            current = FieldCross(
                scaled=True,
                kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
                name=f"cross_{i}",
            )([x.embeddings, current])
        return x.output(x.mlp(keras.layers.Flatten()(current)))
