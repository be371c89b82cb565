from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integers
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import NORMALIZATIONS
from zoo.models.stacked_perceptrons import stacked_gates


class GatedExpertsModel(CTRModel):
    """The base class of networks in which labels weigh experts by gates.

    Each label has a gate and a tower, which are perceptrons.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        tower_units: tuple of integers, the hidden layers of each tower.
            Defaults to `(128, 64)`, FuxiCTR's.
        gate_units: tuple of integers, the hidden layers of each gate. Defaults
            to `(128, 64)`, FuxiCTR's; the papers' `()` makes gates linear.
        gate_bias: boolean, whether the scores of a gate have biases; the
            papers' have none. Defaults to `True`.
        gate_normalization: `"batch"`, `"layer"` or `None`, how the scores are
            normalized before the softmax. Defaults to `None`.
        **shared: arguments of `zoo.CTRModel`: `hidden_units` are the widths of
            each expert; gates and towers have its `activation`,
            `normalization` and `dropout`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.MMoE(schema, tower_units=(64,), gate_units=())
    ```
    """

    SEVERAL_LABELS = True

    def __init__(
        self,
        schema,
        *,
        tower_units=(128, 64),
        gate_units=(128, 64),
        gate_bias=True,
        gate_normalization=None,
        **shared,
    ):
        check_positive_integers("tower_units", tower_units)
        check_positive_integers("gate_units", gate_units)
        check_boolean("gate_bias", gate_bias)
        check_choice("gate_normalization", gate_normalization, NORMALIZATIONS)
        self.tower_units = tuple(tower_units)
        self.gate_units = tuple(gate_units)
        self.gate_bias = gate_bias
        self.gate_normalization = gate_normalization
        super().__init__(schema, **shared)

    def _gates(self, inputs, stack, choices, name):
        """The weights that gates give experts, `(batch, stack, choices)`."""
        return stacked_gates(
            self,
            inputs,
            stack,
            choices,
            name,
            units=self.gate_units,
            use_bias=self.gate_bias,
            normalization=self.gate_normalization,
        )
