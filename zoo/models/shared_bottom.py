from zoo.checks import check_positive_integers
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import label_logits
from zoo.registry import network


@network
class SharedBottom(CTRModel):
    """SharedBottom: a perceptron for all labels, and on it one for each.

    `p_k = sigmoid(<tower_k(bottom(fields)), w_k> + bias_k)` for the label `k`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several.
        tower_units: tuple of integers, the hidden layers of each tower.
            Defaults to `(64,)`, FuxiCTR's.
        **shared: arguments of `zoo.CTRModel`: `hidden_units` are the widths of
            the bottom; towers have its `activation`, `normalization` and
            `dropout`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.SharedBottom(schema, hidden_units=(64, 64))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Caruana, 1997](https://doi.org/10.1023/A:1007379606734), section 1.
    """

    SEVERAL_LABELS = True
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "torch-rechub")

    def __init__(self, schema, *, tower_units=(64,), **shared):
        check_positive_integers("tower_units", tower_units)
        self.tower_units = tuple(tower_units)
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        return label_logits(self, x.mlp())
