import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_names
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import BilinearFusion
from zoo.layers import LearnedVector
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import NORMALIZATIONS
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class FinalMLP(CTRModel):
    """FinalMLP: two perceptrons on gated embeddings, joined bilinearly.

    With `x0` the embeddings side by side, the streams are `y = mlp_1(g_1 * x0)`
    and `z = mlp_2(g_2 * x0)`, with gates `g = 2 * sigmoid(mlp(context))`:
    `sigmoid(<y, u> + <z, v> + sum_h y_h W_h z_h + bias)` over heads `h`, each
    of which has a slice of both streams.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        second_units: tuple of integers, the widths of the second perceptron;
            those of the first are `hidden_units`. Defaults to `(1000,)`, as
            in BARS' Criteo_x1 run.
        second_activation: as `activation`, of the second perceptron. Defaults
            to `"relu"`.
        second_normalization: as `normalization`, of the second perceptron.
            Defaults to `None`.
        second_dropout: as `dropout`, of the second perceptron. Defaults to
            `0.0`.
        fusion: boolean. `False` for the sum of two linear outputs, without
            `W`: DualMLP. Defaults to `True`.
        num_heads: integer; it must divide the last widths of both perceptrons.
            Defaults to `1`; BARS' Criteo_x1 run has 200.
        selection: boolean, whether there are gates. Defaults to `True`.
        first_context: tuple of strings, the fields and numeric columns that
            the gates of the first perceptron see, in a table of their own.
            Defaults to `()`, for a learned vector instead.
        second_context: tuple of strings, those of the second perceptron.
            Defaults to `()`.
        gate_units: tuple of integers, the widths of the gates' hidden layers.
            Defaults to `(800,)`, as in BARS' Criteo_x1 run.
        **shared: arguments of `zoo.CTRModel`, such as `hidden_units`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FinalMLP(schema, first_context=("hour",), num_heads=50)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Mao et al., 2023](https://arxiv.org/abs/2304.00902), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "second_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        second_units=(1000,),
        second_activation="relu",
        second_normalization=None,
        second_dropout=0.0,
        fusion=True,
        num_heads=1,
        selection=True,
        first_context=(),
        second_context=(),
        gate_units=(800,),
        **shared,
    ):
        check_positive_integers("second_units", second_units)
        check_activations("second_activation", second_activation, second_units)
        check_choice(
            "second_normalization", second_normalization, NORMALIZATIONS
        )
        check_dropout("second_dropout", second_dropout, len(second_units))
        check_boolean("fusion", fusion)
        check_positive_integer("num_heads", num_heads)
        check_boolean("selection", selection)
        check_names("first_context", first_context)
        check_names("second_context", second_context)
        check_positive_integers("gate_units", gate_units)
        self.second_units = tuple(second_units)
        self.second_activation = second_activation
        self.second_normalization = second_normalization
        self.second_dropout = second_dropout
        self.fusion = fusion
        self.num_heads = num_heads
        self.selection = selection
        self.first_context = tuple(first_context)
        self.second_context = tuple(second_context)
        self.gate_units = tuple(gate_units)
        super().__init__(schema, **shared)

    def logits(self, x):
        first = x.mlp(self._selected(x, "first", self.first_context))
        second = x.mlp(
            self._selected(x, "second", self.second_context),
            self.second_units,
            "second",
            activation=self.second_activation,
            normalization=self.second_normalization,
            dropout=self.second_dropout,
        )
        parts = [x.output(first), x.output(second, "second_logit")]
        if self.fusion:
            fusion = BilinearFusion(
                self.num_heads, len(self.schema.labels), name="fusion"
            )
            parts.append(fusion([first, second]))
        return parts

    def _selected(self, x, stream, columns):
        """The features of a stream, scaled by its gate."""
        if not self.selection:
            return x.flat
        name = f"{stream}_context"
        known = [*self.schema.dense, *self.schema.categorical]
        for column in columns:
            check_choice(name, column, known)
        if columns:
            vectors = x.selected(list(columns), name)
            context = keras.layers.Flatten()(vectors)
        else:
            context = LearnedVector(self.embedding_dim, name=name)(x.flat)
        hidden = x.mlp(
            context,
            self.gate_units,
            f"{stream}_gate",
            activation="relu",
            normalization=None,
            dropout=0.0,
        )
        gate = keras.layers.Dense(
            x.flat.shape[-1],
            activation="sigmoid",
            kernel_initializer="glorot_normal",
            name=f"{stream}_gate",
        )(hidden)
        return 2 * gate * x.flat
