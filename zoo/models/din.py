from zoo.checks import check_boolean
from zoo.checks import check_positive_integers
from zoo.models.history_model import HistoryModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class DIN(HistoryModel):
    """DIN: weighs each event of a history by its relation to the target.

    `sigmoid(mlp([fields, interests]) + bias)`, in which an interest is
    `sum over events of a(t, e) * e` with `a = mlp([t, e, t - e, t * e])`, and
    stands where other networks have the mean of the sequence.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        attention_units: tuple of integers, the hidden layers of `a`. Defaults
            to `(64,)`, FuxiCTR's.
        attention_activation: string, or a tuple with one for each of them.
            `"dice"` takes its statistics over rows and places, padding
            included. Defaults to `"dice"`.
        attention_output: string, the activation of `a` itself, such as
            `"sigmoid"`. Defaults to `"linear"`.
        attention_dropout: float in `[0, 1)`, within `a`. Defaults to `0.0`.
        softmax: boolean, whether the weights of a row's events sum to 1.
            Defaults to `False`: the sum tells how strong an interest is.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DIN(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhou et al., 2018](https://arxiv.org/abs/1706.06978), section 4. The
      paper's `a` has the outer product instead of `t - e` and `t * e`.
    """

    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")

    def __init__(
        self,
        schema,
        *,
        attention_units=(64,),
        attention_activation="dice",
        attention_output="linear",
        attention_dropout=0.0,
        softmax=False,
        **shared,
    ):
        check_positive_integers("attention_units", attention_units)
        check_activations(
            "attention_activation", attention_activation, attention_units
        )
        check_activations("attention_output", attention_output, ())
        check_dropout(
            "attention_dropout", attention_dropout, len(attention_units)
        )
        check_boolean("softmax", softmax)
        self.attention_units = tuple(attention_units)
        self.attention_activation = attention_activation
        self.attention_output = attention_output
        self.attention_dropout = attention_dropout
        self.softmax = softmax
        super().__init__(schema, **shared)

    def logits(self, x):
        interests = {}
        for i, history in enumerate(self.histories_of(x), start=1):
            scores = x.scores(
                history.pairs(),
                self.attention_units,
                f"attention_{i}",
                output=self.attention_output,
                activation=self.attention_activation,
                dropout=self.attention_dropout,
            )
            interests |= history.split(history.pooled(scores, self.softmax))
        return x.output(x.mlp(x.flat_with(interests)))
