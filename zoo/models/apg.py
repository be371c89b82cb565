from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_names
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_positive_integers
from zoo.layers import FactorizationMachine
from zoo.models.adaptive_perceptron import build_perceptron
from zoo.models.ctr_model import CTRModel
from zoo.models.dcn_v2 import DCNv2
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network

INTERACTIONS = ("fm", "cross")


@network
class APG(DCNv2):
    """APG: a DeepFM or DCN-V2 whose perceptron has other weights for each row.

    A hidden layer is `activation(h U S(z) V + b(z))`, where another perceptron
    makes `S` and `b` of the condition `z`: the layer's input, or embeddings.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        interaction: string, `"fm"` for a DeepFM, or `"cross"` for a DCN-V2.
            Defaults to `"fm"`.
        condition_columns: tuple of names of columns, whose embeddings are `z`.
            Defaults to `()`: `z` is the input of each layer.
        condition_table: boolean, whether these embeddings have a table of their
            own. Defaults to `False`.
        rank: integer, the rows of `S`, or a tuple with one for each layer; a
            layer has no more than its own width and that of its input. `None`
            for no `U` and `V`. Defaults to `32`, FuxiCTR's.
        overparameterization: integer, the width between the two matrices that
            make up `U`, and `V`, or a tuple with one for each layer. `None` for
            one matrix. Defaults to `1024`, FuxiCTR's.
        generate_bias: boolean. `False` for a `b` without `z`. Defaults to
            `True`.
        hyper_units: tuple of integers, the hidden layers of what makes `S`.
            Defaults to `()`.
        hyper_activation: string, or a tuple with one for each of these.
            Defaults to `"relu"`.
        hyper_dropout: float in `[0, 1)`, or such a tuple. Defaults to `0.0`.
        **shared: arguments of `zoo.DCNv2`, such as `structure`, which but for
            `linear` matter to `interaction="cross"` alone, and of
            `zoo.CTRModel`, such as `hidden_units`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.APG(schema, condition_columns=("site",))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Yan et al., 2022](https://arxiv.org/abs/2203.16218), section 3. As in
      FuxiCTR, several conditions are side by side in one `z`.
    """

    DENSE = "embed"
    ORIGINALS: tuple[str, ...] = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "rank": (8, 64, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        interaction="fm",
        condition_columns=(),
        condition_table=False,
        rank=32,
        overparameterization=1024,
        generate_bias=True,
        hyper_units=(),
        hyper_activation="relu",
        hyper_dropout=0.0,
        **shared,
    ):
        check_choice("interaction", interaction, INTERACTIONS)
        check_names("condition_columns", condition_columns)
        check_boolean("condition_table", condition_table)
        _check_sizes("rank", rank)
        _check_sizes("overparameterization", overparameterization)
        check_boolean("generate_bias", generate_bias)
        check_positive_integers("hyper_units", hyper_units)
        check_activations("hyper_activation", hyper_activation, hyper_units)
        check_dropout("hyper_dropout", hyper_dropout, len(hyper_units))
        self.interaction = interaction
        self.condition_columns = tuple(condition_columns)
        self.condition_table = condition_table
        self.rank = rank
        self.overparameterization = overparameterization
        self.generate_bias = generate_bias
        self.hyper_units = tuple(hyper_units)
        self.hyper_activation = hyper_activation
        self.hyper_dropout = hyper_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        if self.interaction == "cross":
            return super().logits(x)
        pairs = FactorizationMachine(name="fm")(x.embeddings)
        deep = self._perceptron(x, x.flat, self.hidden_units)
        linear = [x.linear()] if self.linear else []
        return [*linear, pairs, x.output(deep)]

    def _perceptron(self, x, inputs, units, name=None):
        return build_perceptron(x, inputs, units, name, self)


def _check_sizes(name, value):
    for size in value if isinstance(value, list | tuple) else [value]:
        check_positive_integer_or_none(name, size)
