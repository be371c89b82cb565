import keras

from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import KhatriRaoNeuron
from zoo.layers import QuadraticNeuron
from zoo.layers import RepeatedPasses
from zoo.layers.quadratic_neuron import PARTS
from zoo.models.ctr_model import CTRModel
from zoo.models.ctr_model import click_probabilities
from zoo.models.extra_losses import logit_of_mean
from zoo.models.extra_losses import taught_loss
from zoo.models.hidden_layers import after_linear
from zoo.models.network_arguments import check_one_for_all
from zoo.registry import network

NEURON_TYPES = ("alpha", *PARTS)
PASSES = ("first", "second")


@network
class QNN(CTRModel):
    """QNN: layers of quadratic neurons on the embeddings, no perceptron.

    QNN-alpha's neurons are `x <- x * sum_r relu(norm(x W_r + b_r)) + x`
    (`zoo.layers.KhatriRaoNeuron`), with a dropout behind each layer:
    `sigmoid(<x, w> + bias)`. Other types (`zoo.layers.QuadraticNeuron`) have a
    normalization, an activation and a dropout behind each layer.

    With a dropout QNN-alpha trains on two passes of each batch: it predicts `p
    = (p_1 + p_2) / 2`, and the cross-entropies of `p_1` and of `p_2` with `p`,
    as if that was the label, are added to the loss.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        neuron_type: string, `"alpha"`, or `"T5"`, `"T7"`, `"T8"`, `"T26"` or
            `"T30"` for one of those that the paper compares. Defaults to
            `"alpha"`.
        num_layers: integer. Defaults to `3`, FuxiCTR's.
        num_rows: integer, of QNN-alpha, the number of `r`. Defaults to `2`.
        num_heads: integer, of QNN-alpha: see `zoo.layers.KhatriRaoNeuron`.
            Defaults to `1`.
        quadratic_dropout: float in `[0, 1)`. Defaults to `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `normalization` and `activation` are those of the neurons; the
            activation of QNN-alpha is `relu`. It has no `hidden_units`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.QNN(schema, quadratic_dropout=0.1)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Li et al., 2025](https://arxiv.org/abs/2505.17999)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        "num_layers": (1, 5),
        "num_rows": (1, 4),
        "quadratic_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        neuron_type="alpha",
        num_layers=3,
        num_rows=2,
        num_heads=1,
        quadratic_dropout=0.0,
        **shared,
    ):
        check_choice("neuron_type", neuron_type, NEURON_TYPES)
        check_positive_integer("num_layers", num_layers)
        check_positive_integer("num_rows", num_rows)
        check_positive_integer("num_heads", num_heads)
        check_rate("quadratic_dropout", quadratic_dropout)
        self.neuron_type = neuron_type
        self.num_layers = num_layers
        self.num_rows = num_rows
        self.num_heads = num_heads
        self.quadratic_dropout = quadratic_dropout
        super().__init__(schema, **shared)

    def probabilities(self, x):
        alpha = self.neuron_type == "alpha"
        passes = (self._alpha if alpha else self._typed)(x.embeddings)
        output = keras.layers.Dense(
            len(self.schema.labels),
            kernel_initializer="glorot_normal",
            name="logit",
        )
        logits = [output(keras.layers.Flatten()(each)) for each in passes]
        if len(logits) > 1:
            for name, logit in zip(PASSES, logits, strict=True):
                x.keep(name, logit)
            logits = [logit_of_mean(*logits)]
        return click_probabilities(logits, self.schema.labels, use_bias=False)

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        del y
        students = [kept[name] for name in PASSES]
        return taught_loss(
            self.schema.labels, probabilities, students, sample_weight
        )

    def _alpha(self, fields):
        """Returns the output of each pass; without a dropout there is one."""
        rate, heads = self.quadratic_dropout, self.num_heads
        stack = []
        for i in range(1, self.num_layers + 1):
            neuron = KhatriRaoNeuron(
                self.num_rows,
                heads,
                self.normalization,
                rate,
                name=f"quadratic_{i}",
            )
            stack += [neuron, keras.layers.Dropout(rate)]
        passes = len(PASSES) if rate else 1
        return RepeatedPasses(stack, passes, name="neurons")(fields)

    def _typed(self, fields):
        check_one_for_all(self, "activation")
        x = keras.layers.Flatten()(fields)
        for i in range(1, self.num_layers + 1):
            x = QuadraticNeuron(self.neuron_type, name=f"quadratic_{i}")(x)
            x = after_linear(
                x,
                f"{{}}_{i}",
                self.activation,
                self.normalization,
                self.quadratic_dropout,
            )
        return [x]
