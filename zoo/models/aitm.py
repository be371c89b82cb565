import itertools

import keras
from keras import ops

from zoo.checks import check_not_negative
from zoo.checks import check_positive_integers
from zoo.layers import SelfWeightedSum
from zoo.models.ctr_model import CTRModel
from zoo.models.extra_losses import of_label
from zoo.models.network_arguments import check_one_for_all
from zoo.models.stacked_perceptrons import label_logits
from zoo.models.stacked_perceptrons import stacked_mlp
from zoo.registry import network


@network
class AITM(CTRModel):
    """AITM: each step towards a conversion learns from the step before it.

    Labels are steps: who converts has clicked. Each has a perceptron,
    `q_k = bottom_k(fields)`. `z_1 = q_1`, and `z_k` is the sum over
    `u = q_k, info_k(z_{k-1})` of `softmax_u(<u Q, u K> / sqrt(dim)) u V`.
    `p_k = sigmoid(<tower_k(z_k), w_k> + bias_k)`. A step is no likelier than
    the one before, so `calibration * mean(sum_k max(p_k - p_{k-1}, 0))` is
    added to the loss.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a label
            or several, in the order of the steps.
        tower_units: tuple of integers, the hidden layers of each tower.
            Defaults to `(64,)`.
        calibration: float, what the additional loss is multiplied by. Rows
            count in it as their label `k` does in the loss. Defaults to `0.6`,
            the paper's.
        **shared: arguments of `zoo.CTRModel`: `hidden_units` are the widths of
            each bottom; `info`, a layer, and the towers have its `activation`,
            `normalization` and `dropout`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        ["price"], {"site": 1000}, labels=["click", "buy"]
    )
    model = zoo.AITM(schema, hidden_units=(64, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xi et al., 2021](https://arxiv.org/abs/2105.08489), section 3.
    """

    SEVERAL_LABELS = True
    ORIGINALS = ("torch-rechub",)

    def __init__(self, schema, *, tower_units=(64,), calibration=0.6, **shared):
        check_positive_integers("tower_units", tower_units)
        check_not_negative("calibration", calibration)
        self.tower_units = tuple(tower_units)
        self.calibration = calibration
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        labels = len(self.schema.labels)
        bottoms = stacked_mlp(
            self, x.flat, labels, self.hidden_units, "bottoms"
        )
        steps = [bottoms[:, 0]]
        for i in range(1, labels):
            before = steps[-1]
            info = x.mlp(before, (before.shape[-1],), f"info_{i + 1}")
            pair = keras.layers.Concatenate(axis=1)(
                [bottoms[:, i : i + 1], info[:, None]]
            )
            steps.append(SelfWeightedSum(name=f"transfer_{i + 1}")(pair))
        return label_logits(self, ops.stack(steps, axis=1))

    def probabilities(self, x):
        probabilities = super().probabilities(x)
        labels = self.schema.labels
        if self.calibration and len(labels) > 1:
            rises = [
                ops.relu(probabilities[later] - probabilities[label])
                for label, later in itertools.pairwise(labels)
            ]
            x.keep("rises", ops.concatenate(rises, axis=-1))
        return probabilities

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        del y, probabilities
        loss = 0.0
        for i, label in enumerate(self.schema.labels[1:]):
            rises = kept["rises"][:, i]
            weight = of_label(sample_weight, label)
            if weight is not None:
                rises = rises * ops.cast(ops.reshape(weight, (-1,)), "float32")
            loss = loss + ops.mean(rises)
        return self.calibration * loss
