import keras

from zoo.checks import check_positive_integer
from zoo.layers import OuterProductFusion
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class AOANet(CTRModel):
    """AOANet: learned sums of outer products of fields, beside a perceptron.

    From `b = v`, each layer makes a few vectors of all pairs of a field and a
    vector, `b = fusion(v, b)`, with `zoo.layers.OuterProductFusion`; then
    `sigmoid(<[mlp(x), flat(b)], w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_layers: integer, the number of fusions. Defaults to `1`, like
            `num_subspaces` that of BARS' Criteo_x1 run.
        num_subspaces: integer, the number of vectors that each makes. Defaults
            to `8`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    model = zoo.AOANet(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Lang et al., 2021](https://doi.org/10.1145/3447548.3467133)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_layers": (1, 4),
        "num_subspaces": (2, 16),
    }

    def __init__(self, schema, *, num_layers=1, num_subspaces=8, **shared):
        check_positive_integer("num_layers", num_layers)
        check_positive_integer("num_subspaces", num_subspaces)
        self.num_layers = num_layers
        self.num_subspaces = num_subspaces
        super().__init__(schema, **shared)

    def logits(self, x):
        vectors = x.embeddings
        for i in range(1, self.num_layers + 1):
            vectors = OuterProductFusion(
                self.num_subspaces, name=f"fusion_{i}"
            )([x.embeddings, vectors])
        flat = keras.layers.Flatten()(vectors)
        parts = [x.mlp(), flat] if self.hidden_units else [flat]
        return x.output(x.joined(parts, name="deep_and_fusion"))
