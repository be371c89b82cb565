from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.models.gated_experts_model import GatedExpertsModel
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import label_logits
from zoo.models.stacked_perceptrons import stacked_mlp
from zoo.registry import network


@network
class MMoE(GatedExpertsModel):
    """MMoE: experts for all labels, which each label mixes by its own gate.

    `p_k = sigmoid(<tower_k(sum_e g_ke expert_e(fields)), w_k> + bias_k)` for
    the label `k`, with `g_k = softmax(gate_k(fields))`. Experts, gates and
    towers are perceptrons.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        num_experts: integer. Defaults to `4`, FuxiCTR's.
        one_gate: boolean, whether one gate serves all labels, as in the paper's
            OMoE. Defaults to `False`.
        **shared: arguments of
            `zoo.models.gated_experts_model.GatedExpertsModel`, such as
            `gate_units`, and of `zoo.CTRModel`: `hidden_units` are the widths
            of each expert.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.MMoE(schema, num_experts=3, hidden_units=(64, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Ma et al., 2018](https://doi.org/10.1145/3219819.3220007), section 4.
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "torch-rechub")
    SEARCH_SPACE = {
        **GatedExpertsModel.SEARCH_SPACE,
        "num_experts": (2, 8),
    }

    def __init__(
        self,
        schema,
        *,
        num_experts=4,
        one_gate=False,
        **shared,
    ):
        check_positive_integer("num_experts", num_experts)
        check_boolean("one_gate", one_gate)
        self.num_experts = num_experts
        self.one_gate = one_gate
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        experts = stacked_mlp(
            self, x.flat, self.num_experts, self.hidden_units, "experts"
        )
        labels = len(self.schema.labels)
        gates = self._gates(
            x.flat,
            1 if self.one_gate else labels,
            self.num_experts,
            "gates",
        )
        mixed = ops.einsum("bke,bed->bkd", gates, experts)
        # One mixture is for all towers.
        return label_logits(self, mixed[:, 0] if self.one_gate else mixed)
