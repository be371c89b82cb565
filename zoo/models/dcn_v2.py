import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_not_negative
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import CrossMixture
from zoo.layers import MatrixCross
from zoo.models.ctr_model import CTRModel
from zoo.registry import network

STRUCTURES = ("parallel", "stacked", "stacked_parallel", "crossnet_only")


@network
class DCNv2(CTRModel):
    """DCN-V2: a mixture of low-rank cross experts beside a perceptron.

    The mixture form of DCN-V2 (`zoo.layers.CrossMixture`) on
    `x0 = [embeddings, dense]`, in parallel to the multilayer perceptron:
    `sigmoid(linear(ids, dense) + <[cross(x0), mlp(x0)], w> + bias)`. The
    linear part is the published CowClip code's addition. `mixture=False` is
    the full matrix form, `x_next = x0 * (x W + b) + x`, instead.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_cross_layers: integer. Defaults to `3`.
        low_rank: integer. Rank of an expert. Defaults to `32`.
        num_experts: integer. Experts per cross layer. Defaults to `4`.
        cross_l2: float. L2 on the cross layers' kernels; the paper never
            scales it with the batch. Defaults to `1e-5`.
        mixture: boolean. `False` for cross layers with a full weight matrix,
            which have no `low_rank` and `num_experts`. Defaults to `True`.
        structure: string. `"parallel"` for a perceptron beside the cross
            layers, `"stacked"` for one behind them, `"stacked_parallel"` for
            both, or `"crossnet_only"` for none. Defaults to `"parallel"`.
        stacked_units: tuple of integers, the widths of the perceptron behind
            the cross layers. Defaults to `()`, `hidden_units`.
        linear: boolean, whether it has the linear part. Defaults to `True`;
            the paper's and FuxiCTR's DCN-V2 have none.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the parallel perceptron out.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DCNv2(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    dense = random.random((4096, 1), "float32")
    ids = random.integers(0, [1000, 26], (4096, 2), "int32")
    clicks = random.integers(0, 2, (4096, 1))
    model.fit({"dense": dense, "ids": ids}, clicks, batch_size=4096)
    ```

    Reference:
    - [Wang et al., 2020](https://arxiv.org/abs/2008.13535), section 3.2;
      equation 1 without a mixture.
    """

    ORIGINALS: tuple[str, ...] = (
        "FuxiCTR",
        "DeepCTR-Torch",
        "torch-rechub",
        "RecBole",
    )
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_cross_layers": (1, 6),
        "low_rank": (16, 128, "log"),
        "num_experts": (1, 6),
    }

    def __init__(
        self,
        schema,
        *,
        num_cross_layers=3,
        low_rank=32,
        num_experts=4,
        cross_l2=1e-5,
        mixture=True,
        structure="parallel",
        stacked_units=(),
        linear=True,
        **shared,
    ):
        check_positive_integer("num_cross_layers", num_cross_layers)
        check_positive_integer("low_rank", low_rank)
        check_positive_integer("num_experts", num_experts)
        check_not_negative("cross_l2", cross_l2)
        check_boolean("mixture", mixture)
        check_choice("structure", structure, STRUCTURES)
        check_positive_integers("stacked_units", stacked_units)
        check_boolean("linear", linear)
        self.num_cross_layers = num_cross_layers
        self.low_rank = low_rank
        self.num_experts = num_experts
        self.cross_l2 = cross_l2
        self.mixture = mixture
        self.structure = structure
        self.stacked_units = tuple(stacked_units)
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        parts = []
        if "parallel" in self.structure and self.hidden_units:
            parts = [self._perceptron(x, x.flat, self.hidden_units)]
        crossed = self._cross(x.flat)
        if "stacked" in self.structure:
            units = self.stacked_units or self.hidden_units
            crossed = self._perceptron(x, crossed, units, "stacked")
        joined = x.joined([crossed, *parts], name="cross_and_deep")
        linear = [x.linear()] if self.linear else []
        return [*linear, x.output(joined)]

    def _perceptron(self, x, inputs, units, name=None):
        return x.mlp(inputs, units, name)

    def _cross(self, flat):
        l2 = self.cross_l2
        regularizer = keras.regularizers.L2(l2) if l2 else None
        if self.mixture:
            return CrossMixture(
                self.num_cross_layers,
                self.low_rank,
                self.num_experts,
                regularizer,
                name="cross",
            )(flat)
        crossed = flat
        for i in range(1, self.num_cross_layers + 1):
            crossed = MatrixCross(regularizer, name=f"cross_{i}")(
                [flat, crossed]
            )
        return crossed
