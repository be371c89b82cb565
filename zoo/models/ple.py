import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.models.gated_experts_model import GatedExpertsModel
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import label_experts
from zoo.models.stacked_perceptrons import label_logits
from zoo.registry import network

SHARED_GATES = ("all", "shared")


@network
class PLE(GatedExpertsModel):
    """PLE: levels of experts, some of one label, others of all.

    A level has the vector `x_k` of each label `k` and `x_0` of all, at first
    the fields. Its experts of `k` see `x_k`, the shared ones `x_0`. The next
    `x_k` is `sum_e g_ke expert_e` over the experts of `k` and the shared ones,
    with `g_k = softmax(gate_k(x_k))`; the next `x_0` is such a sum over all
    experts. `p_k = sigmoid(<tower_k(x_k), w_k> + bias_k)` on the last.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        num_levels: integer. With `1` the network is the paper's CGC, which
            FuxiCTR's is by default. Defaults to `2`.
        num_specific_experts: integer, the experts of each label. Defaults to
            `1`.
        num_shared_experts: integer. Defaults to `1`.
        shared_gate: string, which experts the next `x_0` is made of: `"all"`,
            or FuxiCTR's `"shared"`. Defaults to `"all"`, the paper's.
        **shared: arguments of
            `zoo.models.gated_experts_model.GatedExpertsModel`, such as
            `gate_units`, and of `zoo.CTRModel`: `hidden_units` are the widths
            of each expert.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.PLE(schema, num_levels=2, hidden_units=(64, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Tang et al., 2020](https://doi.org/10.1145/3383313.3412236), section 4.
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "torch-rechub")
    SEARCH_SPACE = {
        **GatedExpertsModel.SEARCH_SPACE,
        "num_levels": (1, 3),
        "num_specific_experts": (1, 4),
        "num_shared_experts": (1, 4),
    }

    def __init__(
        self,
        schema,
        *,
        num_levels=2,
        num_specific_experts=1,
        num_shared_experts=1,
        shared_gate="all",
        **shared,
    ):
        check_positive_integer("num_levels", num_levels)
        check_positive_integer("num_specific_experts", num_specific_experts)
        check_positive_integer("num_shared_experts", num_shared_experts)
        check_choice("shared_gate", shared_gate, SHARED_GATES)
        self.num_levels = num_levels
        self.num_specific_experts = num_specific_experts
        self.num_shared_experts = num_shared_experts
        self.shared_gate = shared_gate
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        own = shared = x.flat
        for level in range(1, self.num_levels + 1):
            own, shared = self._level(own, shared, f"level_{level}")
        return label_logits(self, own)

    def _level(self, own, shared, name):
        """The next vectors of the labels, and that of all."""
        of_labels, of_all = label_experts(self, own, shared, name)
        _, labels, several, width = of_labels.shape
        gates = self._gates(
            own, labels, several + of_all.shape[1], f"{name}_gates"
        )
        mixed = ops.einsum(
            "bks,bksd->bkd", gates[:, :, :several], of_labels
        ) + ops.einsum("bke,bed->bkd", gates[:, :, several:], of_all)
        if name == f"level_{self.num_levels}":
            return mixed, None
        seen = of_all
        if self.shared_gate == "all":
            seen = keras.layers.Concatenate(axis=1)(
                [ops.reshape(of_labels, (-1, labels * several, width)), of_all]
            )
        gate = self._gates(shared, 1, seen.shape[1], f"{name}_shared_gate")
        return mixed, ops.einsum("be,bed->bd", gate[:, 0], seen)
