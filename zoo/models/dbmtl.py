from typing import Any

from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_positive_integers
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import stacked_gates
from zoo.models.stacked_perceptrons import stacked_mlp
from zoo.models.stacked_perceptrons import stacked_outputs
from zoo.registry import network


@network
class DBMTL(CTRModel):
    """DBMTL: labels that depend on each other as in a Bayesian network.

    With `t_k = tower_k(bottom(fields))` for each label `k`,
    `r_k = relation_k([t_k, r_j for each parent j of k])` and
    `p_k = sigmoid(<r_k, w_k> + bias_k)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        parents: dict from labels to a list of the labels that each depends on,
            which come before it in `schema`. Defaults to `None`, all of them.
        tower_units: tuple of integers, the hidden layers of each tower.
            Defaults to `(64,)`.
        relation_units: tuple of integers, the hidden layers of each relation,
            at least one. Defaults to `(32,)`.
        num_experts: integer, the number of bottoms, which each label mixes by
            its own linear gate as in `zoo.MMoE`. Defaults to `None`, one bottom
            without a gate.
        **shared: arguments of `zoo.CTRModel`: `hidden_units` are the widths of
            a bottom; towers and relations have its `activation`,
            `normalization` and `dropout`.

    Raises:
        ValueError: if `parents` does not name labels in their order.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.DBMTL(schema, parents={"buy": ["click"]})
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Wang et al., 2019](https://arxiv.org/abs/1902.09154), section 3. Experts
      are EasyRec's.
    """

    SEVERAL_LABELS = True

    def __init__(
        self,
        schema,
        *,
        parents=None,
        tower_units=(64,),
        relation_units=(32,),
        num_experts=None,
        **shared,
    ):
        if parents is not None:
            _check_parents(parents, schema.labels)
        check_positive_integers("tower_units", tower_units)
        check_positive_integers("relation_units", relation_units)
        if not relation_units:
            raise ValueError(
                "`relation_units` must have a layer. "
                f"Received: relation_units={relation_units!r}"
            )
        check_positive_integer_or_none("num_experts", num_experts)
        self.parents = None
        if parents is not None:
            self.parents = {k: list(names) for k, names in parents.items()}
        self.tower_units = tuple(tower_units)
        self.relation_units = tuple(relation_units)
        self.num_experts = num_experts
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        labels = self.schema.labels
        towers = stacked_mlp(
            self, self._bottom(x), len(labels), self.tower_units, "towers"
        )
        if len(towers.shape) == 2:
            # Without layers all towers are the one bottom.
            towers = ops.stack([towers] * len(labels), axis=1)
        relations: dict[str, Any] = {}
        for i, label in enumerate(labels):
            parents = [relations[each] for each in self._parents_of(i)]
            relations[label] = x.mlp(
                x.joined([towers[:, i], *parents]),
                self.relation_units,
                f"relation_{i + 1}",
            )
        hidden = ops.stack([*relations.values()], axis=1)
        return stacked_outputs(hidden, len(labels))

    def _bottom(self, x):
        if self.num_experts is None:
            return x.mlp()
        experts = stacked_mlp(
            self, x.flat, self.num_experts, self.hidden_units, "experts"
        )
        labels = len(self.schema.labels)
        gates = stacked_gates(self, x.flat, labels, self.num_experts, "gates")
        return ops.einsum("bke,bed->bkd", gates, experts)

    def _parents_of(self, place):
        before = self.schema.labels[:place]
        if self.parents is None:
            return before
        named = self.parents.get(self.schema.labels[place], ())
        return [label for label in before if label in named]


def _check_parents(parents, labels):
    if not isinstance(parents, dict) or not all(
        isinstance(names, list | tuple) for names in parents.values()
    ):
        raise ValueError(
            "`parents` must be a dict from labels to lists of labels. "
            f"Received: parents={parents!r}"
        )
    for label, names in parents.items():
        check_choice("parents", label, labels)
        before = labels[: labels.index(label)]
        for name in names:
            check_choice(f"parents[{label!r}]", name, before)
