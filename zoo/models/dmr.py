import keras
import numpy as np
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import MaskedSum
from zoo.layers import Positions
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.models.next_event_model import NextEventModel
from zoo.registry import network


@network
class DMR(NextEventModel):
    """DMR: interests from a history, and scores of how user and item match.

    `sigmoid(mlp([interests, relations, fields]) + bias)`. Events `e` have
    places `p`, of which the last is the newest, so padding is in front. From
    the target `t`, `q = relu(W [t, p])` weighs events by the softmax of
    `a = mlp([q, e, q - e, q * e])`: their sum is an interest, and the sum of
    `a` itself a relation. From the places alone, `q = relu(W' p)` gives the
    state of the user, `u = relu(W'' sum of softmax(a') * e)`; its product with
    the target's vector in a second table, `u o(t)`, is the other relation.

    With `auxiliary_weight` the state before the newest event learns to predict
    this, `u o(e)`, among negatives; those of the log may be any number.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        attention_units: tuple of integers, the hidden layers of `a` and `a'`.
            Defaults to `(80, 40)`, FuxiCTR's.
        attention_activation: string, or a tuple with one for each of them.
            Defaults to `"relu"`.
        attention_dropout: float in `[0, 1)`, within them. Defaults to `0.0`.
        positions: boolean, whether `a` knows the places. Defaults to `True`;
            `a'` always does.
        position_dim: integer, the length of `p`. Defaults to `8`.
        user_to_item: boolean, whether there is the relation `u o(t)`. Defaults
            to `True`.
        item_to_item: boolean, whether there is that of `a`. Defaults to
            `False`, as in FuxiCTR; the paper has both.
        sum_pooling: boolean, whether the sum `s` of the events and `t * s`
            enter too, as in the authors' code. Defaults to `False`.
        **shared: arguments of `zoo.models.next_event_model.NextEventModel`,
            such as `auxiliary_weight` and `negatives`, of `zoo.HistoryModel`,
            such as `histories`, and of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if the loss of the next event has no relation to learn, or
            a history has another vocabulary than its target.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DMR(schema, item_to_item=True, auxiliary_weight=0.1)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Lyu et al., 2020](https://doi.org/10.1609/aaai.v34i01.5346). Its places
      also know the kind of an event, and its item-to-item attention adds the
      parts of `q` instead of a perceptron.
    """

    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        attention_units=(80, 40),
        attention_activation="relu",
        attention_dropout=0.0,
        positions=True,
        position_dim=8,
        user_to_item=True,
        item_to_item=False,
        sum_pooling=False,
        **shared,
    ):
        check_positive_integers("attention_units", attention_units)
        check_activations(
            "attention_activation", attention_activation, attention_units
        )
        check_dropout(
            "attention_dropout", attention_dropout, len(attention_units)
        )
        check_boolean("positions", positions)
        check_positive_integer("position_dim", position_dim)
        check_boolean("user_to_item", user_to_item)
        check_boolean("item_to_item", item_to_item)
        check_boolean("sum_pooling", sum_pooling)
        if shared.get("auxiliary_weight") and not user_to_item:
            raise ValueError(
                "`user_to_item` must be `True` for the loss of the next event, "
                "which is that relation's. Received: user_to_item=False, "
                f"auxiliary_weight={shared['auxiliary_weight']!r}"
            )
        self.attention_units = tuple(attention_units)
        self.attention_activation = attention_activation
        self.attention_dropout = attention_dropout
        self.positions = positions
        self.position_dim = position_dim
        self.user_to_item = user_to_item
        self.item_to_item = item_to_item
        self.sum_pooling = sum_pooling
        super().__init__(schema, **shared)

    def logits(self, x):
        histories = self.histories_of(x)
        negatives = self._negatives_of(histories)
        if self.user_to_item:
            second_table = self._second_table(x, histories, negatives)
        parts = []
        for i, history in enumerate(histories, start=1):
            parts += self._interest(x, history, i)
            if self.user_to_item:
                parts.append(
                    self._relation(
                        x, history, i, second_table[i - 1], negatives[i - 1]
                    )
                )
            if self.sum_pooling:
                pooled = ops.sum(history.events, axis=1)
                parts += [pooled, history.target * pooled]
        return self._logit(x, x.joined([*parts, self._other_columns(x)]))

    def _scores(self, x, history, name, number, inputs, use_bias=False):
        query = keras.layers.Dense(
            history.width,
            activation="relu",
            kernel_initializer="glorot_normal",
            name=f"{name}_query_{number}",
        )(inputs)
        return x.scores(
            history.pairs(query),
            self.attention_units,
            f"{name}_attention_{number}",
            use_bias=use_bias,
            activation=self.attention_activation,
            dropout=self.attention_dropout,
        )

    def _placed(self, events, name, number):
        return Positions(self.position_dim, name=f"{name}_positions_{number}")(
            events
        )

    def _interest(self, x, history, number):
        length = history.events.shape[1]
        inputs = ops.repeat(history.target[:, None], length, axis=1)
        if self.positions:
            inputs = self._placed(inputs, "item", number)
        # Only the sum of the scores sees a bias, the softmax does not.
        scores = self._scores(
            x, history, "item", number, inputs, self.item_to_item
        )
        interest = history.pooled(scores, softmax=True)
        if not self.item_to_item:
            return [interest]
        of_events = ops.where(history.mask, scores, ops.zeros_like(scores))
        return [interest, ops.sum(of_events, axis=1, keepdims=True)]

    def _relation(self, x, history, number, vectors, negatives):
        places = self._placed(history.events, "user", number)
        places = places[..., history.width :]
        scores = self._scores(x, history, "user", number, places)
        layer = keras.layers.Dense(
            history.width,
            activation="relu",
            kernel_initializer="glorot_normal",
            name=f"user_state_{number}",
        )
        if self.auxiliary_weight:
            before = layer(_state(history, scores, -1))
            known = ops.any(history.mask[:, :-1], axis=1, keepdims=True)
            is_event, newest = history.mask[:, -1:], vectors["newest"]
            if negatives is None:
                others = ops.roll(newest, 1, axis=0)
                are_negative = ops.roll(is_event, 1, axis=0)
            else:
                others = vectors["negatives"]
                are_negative = x.mask(negatives[0])
            is_event = ops.logical_and(is_event, known)
            self._keep_next(
                x,
                number,
                ops.einsum("bd,bld->bl", before, newest),
                ops.einsum("bd,bld->bl", before, others),
                is_event,
                ops.logical_and(is_event, are_negative),
            )
        state = layer(_state(history, scores, None))
        return ops.sum(state * vectors["target"][:, 0], axis=1, keepdims=True)

    def _second_table(self, x, histories, negatives):
        """Looks up vectors for each history in the second table.

        Returns:
            List of dicts: the vectors of the `"target"`, and for the loss those
            of the `"newest"` event and of the `"negatives"`.
        """
        fields, wanted = list(self.schema.categorical), []
        each_history = zip(
            histories, self._targets(self._names()), negatives, strict=True
        )
        for number, (history, targets, others) in enumerate(each_history):
            for i, target in enumerate(targets):
                place = fields.index(target)
                ids = x.inputs["ids"][:, place : place + 1]
                wanted.append((number, "target", target, ids))
                if not self.auxiliary_weight:
                    continue
                self._check_vocabulary(history.names[i], target)
                ids = x.inputs[history.names[i]][:, -1:]
                wanted.append((number, "newest", target, ids))
                if others is not None:
                    ids = x.inputs[others[i]]
                    wanted.append((number, "negatives", target, ids))
        found = x.looked_up(
            [(target, ids) for _, _, target, ids in wanted], "output_embeddings"
        )
        parts: list[dict] = [{} for _ in histories]
        for (number, kind, _, _), vectors in zip(wanted, found, strict=True):
            parts[number].setdefault(kind, []).append(vectors)
        return [
            {kind: x.joined(vectors) for kind, vectors in each.items()}
            for each in parts
        ]

    def _check_vocabulary(self, sequence, target):
        if self.schema.vocabulary_of(sequence) != target:
            raise ValueError(
                "`histories` must share the vocabularies of their targets for "
                f"the loss of the next event. Received: '{sequence}' with the "
                f"target '{target}'"
            )


def _state(history, scores, end):
    """The sum of the events up to a place, weighted by their softmax.

    The last place is never masked, as in FuxiCTR: it is empty in rows without
    events, where this changes nothing, and in rows that are padded behind.
    """
    events, scores = history.events[:, :end], scores[:, :end]
    mask = history.mask[:, :end]
    places = np.arange(mask.shape[1])
    mask = ops.logical_or(mask, places == len(places) - 1)
    return MaskedSum(softmax=True)([events, scores, mask])
