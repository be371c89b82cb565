from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.layers import GatedCross
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class GDCN(CTRModel):
    """GDCN: cross layers with gates, before or beside a perceptron.

    With `x0` the embeddings side by side and cross layers
    `x_next = x0 * (x W + b) * sigmoid(x G) + x`:
    `sigmoid(mlp(cross(x0)) + bias)`, or in parallel
    `sigmoid(<[cross(x0), mlp(x0)], w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_cross_layers: integer. Defaults to `3`.
        structure: string. `"stacked"` for a perceptron behind the cross
            layers, or `"parallel"` for one beside them. Defaults to
            `"stacked"`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    model = zoo.GDCN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Wang et al., 2023](https://arxiv.org/abs/2311.04635), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_cross_layers": (1, 6),
    }

    def __init__(
        self, schema, *, num_cross_layers=3, structure="stacked", **shared
    ):
        check_positive_integer("num_cross_layers", num_cross_layers)
        check_choice("structure", structure, ("stacked", "parallel"))
        self.num_cross_layers = num_cross_layers
        self.structure = structure
        super().__init__(schema, **shared)

    def logits(self, x):
        crossed = x.flat
        for i in range(1, self.num_cross_layers + 1):
            crossed = GatedCross(name=f"cross_{i}")([x.flat, crossed])
        if not self.hidden_units:
            return x.output(crossed)
        if self.structure == "stacked":
            return x.output(x.mlp(crossed))
        return x.output(x.joined([crossed, x.mlp()], name="cross_and_deep"))
