import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integers
from zoo.layers import FactorizedDense
from zoo.layers.factorized_dense import RESIDUALS
from zoo.models.ctr_model import CTRModel
from zoo.models.extra_losses import taught_loss
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class FinalNet(CTRModel):
    """FinalNet: layers that multiply, in two blocks that teach each other.

    A layer is `activation(norm([h2, h1 * h2]))` with `h2, h1` the halves of
    `x W + b`. Two blocks of layers have a linear output each, `y` and `z`:
    `p = sigmoid((y + z) / 2)`. While it trains, each block also learns what
    both predict: the loss is
    `bce(label, p) + bce(stop(p), sigmoid(y)) + bce(stop(p), sigmoid(z))`,
    where no gradient passes `stop`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_blocks: integer, `1` or `2`. One block learns the labels alone.
            Defaults to `2`.
        second_units: tuple of integers, the widths of the second block; those
            of the first are `hidden_units`. Defaults to `(400, 400)`, as in
            BARS' Criteo_x1 run.
        second_activation: as `activation`, of the second block. Defaults to
            `"relu"`.
        second_dropout: as `dropout`, of the second block. Defaults to `0.0`.
        residual: string. `"concat"` for the layer above, whose widths must be
            even, or `"sum"` for `h2 + h1 * h2`. Defaults to `"concat"`.
        feature_gating: boolean. Whether the first block sees `[v, g * v]` with
            gates `g = v' G + 1`, linear over the fields. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `hidden_units`. The
            original has `normalization="batch"`, and `activation=None` if it is
            not set.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FinalNet(schema, normalization="batch")
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhu et al., 2023](https://doi.org/10.1145/3539618.3591988), section 3.
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
        num_blocks=2,
        second_units=(400, 400),
        second_activation="relu",
        second_dropout=0.0,
        residual="concat",
        feature_gating=True,
        **shared,
    ):
        check_choice("num_blocks", num_blocks, (1, 2))
        check_positive_integers("second_units", second_units)
        check_activations("second_activation", second_activation, second_units)
        check_dropout("second_dropout", second_dropout, len(second_units))
        check_choice("residual", residual, RESIDUALS)
        check_boolean("feature_gating", feature_gating)
        self.num_blocks = num_blocks
        self.second_units = tuple(second_units)
        self.second_activation = second_activation
        self.second_dropout = second_dropout
        self.residual = residual
        self.feature_gating = feature_gating
        super().__init__(schema, **shared)

    def logits(self, x):
        inputs = self._gated(x) if self.feature_gating else x.flat
        self._check_even("hidden_units")
        first = x.mlp(inputs, linear=self._layer(""))
        if self.num_blocks == 1:
            return x.output(first)
        self._check_even("second_units")
        second = x.mlp(
            x.flat,
            self.second_units,
            "second",
            linear=self._layer("second_"),
            activation=self.second_activation,
            dropout=self.second_dropout,
        )
        first = x.output(first, use_bias=True)
        second = x.output(second, "second_logit", use_bias=True)
        x.keep("first", first)
        x.keep("second", second)
        return 0.5 * (first + second)

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        del y
        students = [kept["first"], kept["second"]]
        return taught_loss(
            self.schema.labels, probabilities, students, sample_weight
        )

    def _gated(self, x):
        """The features and, scaled by gates, the fields once more."""
        columns = keras.layers.Permute((2, 1))(x.embeddings)
        gates = keras.layers.Dense(
            columns.shape[-1],
            kernel_initializer="zeros",
            bias_initializer="ones",
            name="feature_gates",
        )(columns)
        gated = x.embeddings * keras.layers.Permute((2, 1))(gates)
        return x.joined(
            [x.flat, keras.layers.Flatten()(gated)], name="gated_features"
        )

    def _layer(self, start):
        def linear(hidden, i, units):
            return FactorizedDense(
                units, self.residual, name=f"{start}hidden_{i}"
            )(hidden)

        return linear

    def _check_even(self, argument):
        units = getattr(self, argument)
        if self.residual == "concat" and any(width % 2 for width in units):
            raise ValueError(
                f"`{argument}` must be even where `residual` is 'concat'. "
                f"Received: {argument}={units!r}"
            )
