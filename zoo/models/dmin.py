import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.checks import check_rate
from zoo.layers import EventAttention
from zoo.layers import GroupDense
from zoo.layers import Positions
from zoo.layers.masked_sum import masked_softmax
from zoo.models.network_arguments import check_activations
from zoo.models.next_event_model import NextEventModel
from zoo.registry import network


@network
class DMIN(NextEventModel):
    """DMIN: finds several interests of a user, one for each attention head.

    `sigmoid(mlp([interests, fields]) + bias)`. A refiner lets events attend to
    those before them, and a second attention gives each head a sequence `z`;
    see `zoo.layers.EventAttention`. The interest of a head is the sum of its
    `z`, weighed by the softmax of `mlp([q, z, q - z, q * z])`, where each head
    has a `q = W [target, place]` of its own.

    With `auxiliary_weight` refined events learn to predict the next event from
    `mlp([refined, next])`; negatives of the log have the places of events.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        num_heads: integer, which must divide the width of an event, that of
            all embeddings of a history's sequences. Defaults to `2`; FuxiCTR
            has 4.
        refiner: boolean, whether there is the refiner. Defaults to `True`.
        attention_units: tuple of integers, the hidden layers of the weights.
            Defaults to `(80, 40)`, FuxiCTR's.
        attention_activation: string, or a tuple with one for each of them.
            Defaults to `"relu"`.
        attention_dropout: float in `[0, 1)`, within them and of the weights of
            self-attention. Defaults to `0.0`.
        attended_dropout: float in `[0, 1)`, of what self-attention gives.
            Defaults to `0.0`.
        layer_norm: boolean, whether self-attention normalizes. Defaults to
            `True`.
        positions: boolean, whether there are places; without them `q` is the
            target itself. Defaults to `True`.
        position_dim: integer, the length of their vectors. Defaults to `8`.
        sum_pooling: boolean, whether the sum `s` of the events and
            `target * s` enter too. Defaults to `False`.
        auxiliary_units: tuple of integers, the hidden layers that predict the
            next event. Defaults to `(100, 50)`.
        auxiliary_activation: string, or a tuple with one for each of them.
            Defaults to `"relu"`.
        **shared: arguments of `zoo.models.next_event_model.NextEventModel`,
            such as `auxiliary_weight` and `negatives`, of `zoo.HistoryModel`,
            such as `histories`, and of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if the heads do not divide the width of an event, or
            negatives are not as long as the history.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DMIN(schema, auxiliary_weight=0.1)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Xiao et al., 2020](https://doi.org/10.1145/3340531.3412092). FuxiCTR's
      refiner adds 1 to the scores of what it should not see, instead of
      leaving it out; it is left out here, so that logits are FuxiCTR's with
      `refiner=False` alone.
    """

    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        num_heads=2,
        refiner=True,
        attention_units=(80, 40),
        attention_activation="relu",
        attention_dropout=0.0,
        attended_dropout=0.0,
        layer_norm=True,
        positions=True,
        position_dim=8,
        sum_pooling=False,
        auxiliary_units=(100, 50),
        auxiliary_activation="relu",
        **shared,
    ):
        check_positive_integer("num_heads", num_heads)
        check_boolean("refiner", refiner)
        check_positive_integers("attention_units", attention_units)
        check_activations(
            "attention_activation", attention_activation, attention_units
        )
        check_rate("attention_dropout", attention_dropout)
        check_rate("attended_dropout", attended_dropout)
        check_boolean("layer_norm", layer_norm)
        check_boolean("positions", positions)
        check_positive_integer("position_dim", position_dim)
        check_boolean("sum_pooling", sum_pooling)
        check_positive_integers("auxiliary_units", auxiliary_units)
        check_activations(
            "auxiliary_activation", auxiliary_activation, auxiliary_units
        )
        self.num_heads = num_heads
        self.refiner = refiner
        self.attention_units = tuple(attention_units)
        self.attention_activation = attention_activation
        self.attention_dropout = attention_dropout
        self.attended_dropout = attended_dropout
        self.layer_norm = layer_norm
        self.positions = positions
        self.position_dim = position_dim
        self.sum_pooling = sum_pooling
        self.auxiliary_units = tuple(auxiliary_units)
        self.auxiliary_activation = auxiliary_activation
        super().__init__(schema, **shared)

    def logits(self, x):
        histories, parts = self.histories_of(x), []
        negatives = self._negatives_of(histories)
        for i, history in enumerate(histories, start=1):
            events = history.events
            if self.refiner:
                events = self._attention(f"refiner_{i}", history, events)
            if self.auxiliary_weight:
                self._keep(x, history, events, negatives[i - 1], i)
            heads = self._attention(
                f"extractor_{i}", history, events, separate=True, use_bias=False
            )
            parts.append(self._interests(x, history, heads, i))
            if self.sum_pooling:
                pooled = ops.sum(history.events, axis=1)
                parts += [pooled, history.target * pooled]
        return self._logit(x, x.joined([*parts, self._other_columns(x)]))

    def _attention(self, name, history, events, **settings):
        return EventAttention(
            self.num_heads,
            layer_norm=self.layer_norm,
            attention_dropout=self.attention_dropout,
            dropout=self.attended_dropout,
            name=name,
            **settings,
        )([events, history.mask])

    def _interests(self, x, history, heads, number):
        """Returns the heads' interests, `(batch, num_heads * width)`."""
        length, width = history.events.shape[1:]
        shape = (-1, length, self.num_heads, width)
        query = ops.repeat(history.target[:, None], length, axis=1)
        query = ops.repeat(query[:, :, None], self.num_heads, axis=2)
        if self.positions:
            query = self._placed(history, query, number)
            query = ops.reshape(query, shape)
        pairs = ops.concatenate(
            [query, heads, query - heads, query * heads], axis=-1
        )
        scores = x.mlp(
            ops.reshape(pairs, (-1, length, self.num_heads * 4 * width)),
            self.attention_units,
            name=f"attention_{number}",
            # Each unit of each head has an activation of its own.
            linear=lambda inputs, layer, units: GroupDense(
                units, self.num_heads, name=f"attention_{number}_hidden_{layer}"
            )(inputs),
            activation=self.attention_activation,
            normalization=None,
            dropout=self.attention_dropout,
        )
        # The softmax does not see a bias.
        scores = GroupDense(
            1, self.num_heads, use_bias=False, name=f"attention_{number}_score"
        )(scores)
        # A row without events averages over its padding, as in FuxiCTR, where
        # only biases are left.
        empty = ops.logical_not(ops.any(history.mask, axis=1, keepdims=True))
        mask = ops.expand_dims(ops.logical_or(history.mask, empty), axis=1)
        scores = ops.swapaxes(scores, 1, 2)
        weights = masked_softmax(
            ops.where(empty[:, None], ops.zeros_like(scores), scores), mask
        )
        interests = ops.einsum("bhl,blhd->bhd", weights, heads)
        return keras.layers.Flatten()(interests)

    def _placed(self, history, query, number):
        length, width = history.events.shape[1:]
        places = Positions(
            self.num_heads * self.position_dim, name=f"positions_{number}"
        )(history.events)[..., width:]
        shape = (-1, length, self.num_heads, self.position_dim)
        query = ops.concatenate([query, ops.reshape(places, shape)], axis=-1)
        query = ops.reshape(query, (-1, length, shape[2] * query.shape[-1]))
        return GroupDense(width, self.num_heads, name=f"query_{number}")(query)

    def _keep(self, x, history, events, negatives, number):
        known, following = history.mask[:, :-1], history.mask[:, 1:]
        is_event = ops.logical_and(known, following)
        others, are_negative = self._negative_events(x, history, negatives)
        # One call for both, because its layers have names.
        before = ops.concatenate([events[:, :-1]] * 2, axis=1)
        after = ops.concatenate([history.events[:, 1:], others[:, 1:]], axis=1)
        logits = x.scores(
            x.joined([before, after]),
            self.auxiliary_units,
            f"auxiliary_{number}",
            activation=self.auxiliary_activation,
        )
        positive, negative = ops.split(logits, 2, axis=1)
        is_negative = ops.logical_and(is_event, are_negative[:, 1:])
        self._keep_next(x, number, positive, negative, is_event, is_negative)
