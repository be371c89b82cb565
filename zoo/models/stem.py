import keras
import numpy as np
from keras import ops

from zoo.checks import check_positive_integer
from zoo.models.gated_experts_model import GatedExpertsModel
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import label_experts
from zoo.models.stacked_perceptrons import label_logits
from zoo.registry import network


@network
class STEM(GatedExpertsModel):
    """STEM: embeddings and experts of each label, which the others may read.

    The fields have a table for each label `k`, which gives `x_k`, and one for
    all, `x_0`. The experts of `k` see `x_k`, the shared ones `x_0`. The next
    `x_k` is `sum_e g_ke expert_e` over all experts, those of other labels
    without gradient, with `g_k = softmax(gate_k(x_k + x_0))`; the next `x_0` is
    such a sum with `softmax(gate_0(x_0))`, with gradients.
    `p_k = sigmoid(<tower_k(x_k), w_k> + bias_k)` on the last level.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        num_levels: integer. Defaults to `1`, the authors'.
        num_specific_experts: integer, the experts of each label. Defaults to
            `1`.
        num_shared_experts: integer. Defaults to `1`.
        **shared: arguments of
            `zoo.models.gated_experts_model.GatedExpertsModel`, such as
            `gate_units`, and of `zoo.CTRModel`: `hidden_units` are the widths
            of each expert, and `embedding_dim` that of each table.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.STEM(schema, hidden_units=(64, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Su et al., 2024](https://arxiv.org/abs/2308.13537), section 4. The
      authors have one table with longer rows, of which labels have parts.
    """

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
        num_levels=1,
        num_specific_experts=1,
        num_shared_experts=1,
        **shared,
    ):
        check_positive_integer("num_levels", num_levels)
        check_positive_integer("num_specific_experts", num_specific_experts)
        check_positive_integer("num_shared_experts", num_shared_experts)
        self.num_levels = num_levels
        self.num_specific_experts = num_specific_experts
        self.num_shared_experts = num_shared_experts
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        labels = range(1, len(self.schema.labels) + 1)
        own = ops.stack([x.flat_of(f"embeddings_{k}") for k in labels], axis=1)
        shared = x.flat
        for level in range(1, self.num_levels + 1):
            own, shared = self._level(own, shared, f"level_{level}")
        return label_logits(self, own)

    def _level(self, own, shared, name):
        """The next vectors of the labels, and that of all."""
        of_labels, of_all = label_experts(self, own, shared, name)
        _, labels, several, width = of_labels.shape
        experts = keras.layers.Concatenate(axis=1)(
            [ops.reshape(of_labels, (-1, labels * several, width)), of_all]
        )
        gates = self._gates(
            own + shared[:, None],
            labels,
            experts.shape[1],
            f"{name}_gates",
        )
        # For each label, the experts whose gradients pass: its own, the shared.
        own_experts = np.repeat(np.eye(labels), several, axis=1)
        passing = np.concatenate(
            [own_experts, np.ones((labels, of_all.shape[1]))], axis=1
        ).astype("bool")
        learning = ops.where(passing, gates, ops.zeros_like(gates))
        mixed = ops.einsum("bke,bed->bkd", learning, experts) + ops.einsum(
            "bke,bed->bkd", gates - learning, ops.stop_gradient(experts)
        )
        if name == f"level_{self.num_levels}":
            return mixed, None
        gate = self._gates(shared, 1, experts.shape[1], f"{name}_shared_gate")
        return mixed, ops.einsum("be,bed->bd", gate[:, 0], experts)
