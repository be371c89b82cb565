import dataclasses

import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integers
from zoo.layers import MaskedGRU
from zoo.layers.masked_sum import masked_softmax
from zoo.models.extra_losses import row_weights
from zoo.models.negative_events_model import NegativeEventsModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network

# The part of each GRU that the attention weights act on.
GRU_TYPES = {
    "AUGRU": "update",
    "AGRU": "state",
    "AIGRU": None,
    "GRU": None,
    "GRU_attention": None,
}
ATTENTIONS = ("bilinear", "dot", "mlp")


@network
class DIEN(NegativeEventsModel):
    """DIEN: follows how interests change, towards what is offered.

    `sigmoid(mlp([state, fields]) + bias)`. A GRU reads the events, one after
    the other; its states are interests. A second GRU reads the interests, each
    with a weight `a(t, interest)` by the target `t`; its last state is `state`.
    The sequences of a history enter nowhere else.

    With an `auxiliary_weight` a second loss trains the interests: the weight
    times the mean over steps of `-log(p(h, e)) - log(1 - p(h, n))`. In it an
    interest `h` tells the next event `e` from a negative `n`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        gru_type: string, the second GRU: `"AUGRU"` weighs its update gate,
            `"AGRU"` has the weight in its stead, `"AIGRU"` weighs what it
            reads, `"GRU"` has no weights, and `"GRU_attention"` weighs its
            states, whose sum is then `state`. Defaults to `"AUGRU"`.
        reset_after: boolean, `True` for the GRU of the paper, `False` for that
            of the authors' code; see `zoo.layers.MaskedGRU`. Defaults to
            `True`.
        attention: string. `a` is `"bilinear"`, `h W t` with the unit matrix as
            `W` at first, `"dot"`, the same without `W`, or `"mlp"`,
            `mlp([t, h, t - h, t * h])`. Defaults to `"bilinear"`.
        attention_units: tuple of integers, the hidden layers of that `mlp`.
            Defaults to `(80, 40)`.
        attention_activation: string, or a tuple with one for each of them.
            Defaults to `"dice"`.
        attention_dropout: float in `[0, 1)`, within it. Defaults to `0.0`.
        softmax: boolean, whether the weights of a row sum to 1. Defaults to
            `True`.
        sum_pooling: boolean, whether the perceptron also sees the sum of the
            events, and that sum times the target. Defaults to `False`.
        auxiliary_units: tuple of integers, the hidden layers of
            `p = sigmoid(mlp([h, e]))`, or `None` for `sigmoid(<h, e>)`, the
            paper's. Defaults to `(100, 50)`.
        auxiliary_activation: string, or a tuple with one for each of them.
            Defaults to `"relu"`.
        **shared: arguments of
            `zoo.models.negative_events_model.NegativeEventsModel`:
            `auxiliary_weight`, 1 in the paper and 0 by default, and
            `negatives`, as long as their history; of `zoo.HistoryModel`, such
            as `histories`, and of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: as `zoo.HistoryModel` does, and if the negatives do not fit
            the histories.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DIEN(schema, auxiliary_weight=1.0)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhou et al., 2019](https://arxiv.org/abs/1809.03672). Its authors' code
      has `sum_pooling`.
    """

    ORIGINALS: tuple[str, ...] = ("FuxiCTR", "DeepCTR-Torch")

    def __init__(
        self,
        schema,
        *,
        gru_type="AUGRU",
        reset_after=True,
        attention="bilinear",
        attention_units=(80, 40),
        attention_activation="dice",
        attention_dropout=0.0,
        softmax=True,
        sum_pooling=False,
        auxiliary_units=(100, 50),
        auxiliary_activation="relu",
        **shared,
    ):
        check_choice("gru_type", gru_type, GRU_TYPES)
        check_boolean("reset_after", reset_after)
        check_choice("attention", attention, ATTENTIONS)
        check_positive_integers("attention_units", attention_units)
        check_activations(
            "attention_activation", attention_activation, attention_units
        )
        check_dropout(
            "attention_dropout", attention_dropout, len(attention_units)
        )
        check_boolean("softmax", softmax)
        check_boolean("sum_pooling", sum_pooling)
        if auxiliary_units is not None:
            check_positive_integers("auxiliary_units", auxiliary_units)
            auxiliary_units = tuple(auxiliary_units)
        check_activations(
            "auxiliary_activation", auxiliary_activation, auxiliary_units or ()
        )
        self.gru_type = gru_type
        self.reset_after = reset_after
        self.attention = attention
        self.attention_units = tuple(attention_units)
        self.attention_activation = attention_activation
        self.attention_dropout = attention_dropout
        self.softmax = softmax
        self.sum_pooling = sum_pooling
        self.auxiliary_units = auxiliary_units
        self.auxiliary_activation = auxiliary_activation
        super().__init__(schema, **shared)

    def logits(self, x):
        histories = self.histories_of(x)
        negatives, states = self._negatives_of(histories), []
        for i, history in enumerate(histories, start=1):
            interests = self._gru(history, f"interests_{i}")
            states.append(self._evolved(x, interests, i))
            if self.sum_pooling:
                total = ops.sum(history.events, axis=1)
                states += [total, history.target * total]
            if self.auxiliary_weight:
                self._keep_losses(x, history, interests, negatives[i - 1], i)
        columns = self._other_columns(x)
        return x.output(x.mlp(x.joined([*states, columns])))

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        del y, probabilities
        total = 0.0
        for i, _ in enumerate(self._names(), start=1):
            steps = kept[f"steps_{i}"] * row_weights(sample_weight)
            losses = ops.sum(steps * kept[f"losses_{i}"])
            total = total + ops.divide_no_nan(losses, ops.sum(steps))
        return self.auxiliary_weight * total

    def _gru(self, history, name, attention=None, weights=()):
        """Returns the history with a GRU's states in the place of events."""
        states = MaskedGRU(
            history.width, attention, reset_after=self.reset_after, name=name
        )([history.events, history.mask, *weights])
        return dataclasses.replace(history, events=states)

    def _evolved(self, x, interests, i):
        """Returns the last state, or the weighted sum of all."""
        name = f"evolution_{i}"
        if self.gru_type == "GRU_attention":
            states = self._gru(interests, name)
            return states.pooled(self._scores(x, states, i), self.softmax)
        if self.gru_type == "GRU":
            return self._gru(interests, name).events[:, -1]
        scores, mask = self._scores(x, interests, i), interests.mask
        weights = masked_softmax(scores, mask) if self.softmax else scores
        if self.gru_type == "AIGRU":
            read = interests.events * ops.expand_dims(weights, -1)
            weighed = dataclasses.replace(interests, events=read)
            return self._gru(weighed, name).events[:, -1]
        attention = GRU_TYPES[self.gru_type]
        return self._gru(interests, name, attention, [weights]).events[:, -1]

    def _scores(self, x, history, i):
        if self.attention == "mlp":
            return x.scores(
                history.pairs(),
                self.attention_units,
                f"attention_{i}",
                activation=self.attention_activation,
                dropout=self.attention_dropout,
            )
        events = history.events
        if self.attention == "bilinear":
            events = keras.layers.Dense(
                history.width,
                use_bias=False,
                kernel_initializer="identity",
                name=f"attention_{i}",
            )(events)
        return ops.sum(events * history.target[:, None], axis=-1)

    def _keep_losses(self, x, history, interests, negatives, i):
        """Keeps the loss of each step to a next event, and a mask of them."""
        others, offered = self._negative_events(x, history, negatives)
        before = interests.events[:, :-1]
        after = ops.concatenate([history.events[:, 1:], others[:, 1:]], axis=1)
        before = ops.concatenate([before, before], axis=1)
        if self.auxiliary_units is None:
            scores = ops.sum(before * after, axis=-1)
        else:
            scores = x.scores(
                x.joined([before, after]),
                self.auxiliary_units,
                f"auxiliary_{i}",
                activation=self.auxiliary_activation,
            )
        clicked, ignored = ops.split(ops.cast(scores, "float32"), 2, axis=1)
        steps = ops.logical_and(history.mask[:, :-1], history.mask[:, 1:])
        steps = ops.logical_and(steps, offered[:, 1:])
        x.keep(f"losses_{i}", ops.softplus(-clicked) + ops.softplus(ignored))
        x.keep(f"steps_{i}", ops.cast(steps, "float32"))
