from zoo.models.ctr_model import CTRModel
from zoo.models.stacked_perceptrons import stacked_mlp
from zoo.models.stacked_perceptrons import stacked_outputs
from zoo.registry import network


@network
class ESMM(CTRModel):
    """ESMM: the probability of a click times that of a conversion after it.

    `p_1 = sigmoid(<mlp_1(fields), w_1> + bias_1)` for the click, and for the
    conversion `p_1 * sigmoid(<mlp_2(fields), w_2> + bias_2)`, whose second
    factor is the probability that a click converts. So this factor is learnt
    from all rows, not only from those with a click.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with two
            labels: the click, and the conversion, which is 0 without a click.
            Arguments of `zoo.CTRModel` come behind it: `hidden_units` are the
            widths of both perceptrons.

    Raises:
        ValueError: if `schema` has not two labels.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.ESMM(schema, hidden_units=(64, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Ma et al., 2018](https://arxiv.org/abs/1804.07931), section 2.
    """

    SEVERAL_LABELS = True
    ORIGINALS = ("DeepCTR-Torch", "torch-rechub")

    def logits(self, x):
        labels = self.schema.labels
        if len(labels) != 2:
            raise ValueError(
                "`ESMM` needs two labels in `schema`, the click and the "
                f"conversion. Received: labels={list(labels)}"
            )
        hidden = stacked_mlp(self, x.flat, 2, self.hidden_units, "towers")
        return stacked_outputs(hidden, 2)

    def probabilities(self, x):
        probabilities = super().probabilities(x)
        click, conversion = self.schema.labels
        return {
            click: probabilities[click],
            conversion: probabilities[click] * probabilities[conversion],
        }
