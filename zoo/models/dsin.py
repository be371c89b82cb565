import dataclasses

import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_positive_integers
from zoo.layers import MaskedMean
from zoo.layers import SessionBias
from zoo.layers import TransformerBlock
from zoo.models.history_model import HistoryModel
from zoo.models.network_arguments import check_activations
from zoo.registry import network


@network
class DSIN(HistoryModel):
    """DSIN: reads a history as sessions, each of which has an interest.

    `sigmoid(mlp([interests, states, fields]) + bias)`. The places of a history
    are cut into sessions of one length, each padded like a history. One
    `zoo.layers.TransformerBlock` for all reads each session, with
    `zoo.layers.SessionBias` added, and the mean of its events is the
    interest of the session. Bidirectional LSTMs read these; the mean of both
    directions is a state of each session. Interests and states `e` enter as
    their sums, weighed by the softmax of `mlp([t, e, t - e, t * e])`, in which
    `t` is the target.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with a
            history; see `zoo.HistoryModel`.
        num_sessions: integer, which must divide the `max_length` of each
            history. Defaults to `5`, DeepCTR's.
        num_heads: integer, which must divide the width of an event, that of
            all embeddings of a history's sequences. Defaults to `2`.
        feedforward_units: integer, the hidden layer of the transformer.
            Defaults to `None`, the width of an event.
        layer_norm: boolean, whether the transformer normalizes. Defaults to
            `True`, the paper's; DeepCTR does not.
        session_bias: boolean, whether there is the bias. Defaults to `True`.
        lstm_layers: integer, the number of LSTMs, one on the other. Defaults
            to `2`, DeepCTR's.
        attention_units: tuple of integers, the hidden layers of the weights.
            Defaults to `(64, 16)`, DeepCTR's.
        attention_activation: string, or a tuple with one for each of them.
            Defaults to `"sigmoid"`.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if sessions do not divide the length of a history, or heads
            the width of an event.

    Example:

    ```python
    clicked = zoo.Sequence("item", max_length=50)
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": clicked}
    )
    model = zoo.DSIN(schema, num_sessions=5)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Feng et al., 2019](https://arxiv.org/abs/1905.06482), section 3. Its
      weights are the softmax of a bilinear form; the perceptron is that of
      DeepCTR, which an author of the paper wrote.
    """

    def __init__(
        self,
        schema,
        *,
        num_sessions=5,
        num_heads=2,
        feedforward_units=None,
        layer_norm=True,
        session_bias=True,
        lstm_layers=2,
        attention_units=(64, 16),
        attention_activation="sigmoid",
        **shared,
    ):
        check_positive_integer("num_sessions", num_sessions)
        check_positive_integer("num_heads", num_heads)
        check_positive_integer_or_none("feedforward_units", feedforward_units)
        check_boolean("layer_norm", layer_norm)
        check_boolean("session_bias", session_bias)
        check_positive_integer("lstm_layers", lstm_layers)
        check_positive_integers("attention_units", attention_units)
        check_activations(
            "attention_activation", attention_activation, attention_units
        )
        self.num_sessions = num_sessions
        self.num_heads = num_heads
        self.feedforward_units = feedforward_units
        self.layer_norm = layer_norm
        self.session_bias = session_bias
        self.lstm_layers = lstm_layers
        self.attention_units = tuple(attention_units)
        self.attention_activation = attention_activation
        super().__init__(schema, **shared)

    def logits(self, x):
        parts = []
        for i, history in enumerate(self.histories_of(x), start=1):
            interests = self._interests(history, i)
            parts.append(self._pooled(x, interests, f"interest_attention_{i}"))
            states = self._states(interests, i)
            parts.append(self._pooled(x, states, f"state_attention_{i}"))
        flat = x.flat_without(self.sequences_of_histories())
        return x.output(x.mlp(x.joined([*parts, flat])))

    def _interests(self, history, number):
        """Returns the history with sessions in the place of events."""
        places, width = history.events.shape[1:]
        length, rest = divmod(places, self.num_sessions)
        if rest:
            raise ValueError(
                "`num_sessions` must divide the `max_length` of each history, "
                "for sessions have as many places each. Received: "
                f"num_sessions={self.num_sessions!r}, max_length={places} of "
                f"{list(history.names)}"
            )
        events = ops.reshape(
            history.events, (-1, self.num_sessions, length, width)
        )
        if self.session_bias:
            events = SessionBias(name=f"session_bias_{number}")(events)
        # One row for each session.
        events = ops.reshape(events, (-1, length, width))
        mask = ops.reshape(history.mask, (-1, length))
        events = TransformerBlock(
            self.num_heads,
            self.feedforward_units,
            layer_norm=self.layer_norm,
            name=f"session_{number}",
        )([events, mask])
        interests = MaskedMean()([events, mask])
        mask = ops.reshape(history.mask, (-1, self.num_sessions, length))
        return dataclasses.replace(
            history,
            events=ops.reshape(interests, (-1, self.num_sessions, width)),
            mask=ops.any(mask, axis=2),
        )

    def _states(self, interests, number):
        states, mask = interests.events, interests.mask
        is_session = ops.expand_dims(mask, axis=-1)
        for layer in range(1, self.lstm_layers + 1):
            name = f"states_{number}_{layer}"
            forward = self._lstm(states, mask, f"{name}_forward")
            backward = ops.flip(
                self._lstm(
                    ops.flip(states, axis=1),
                    ops.flip(mask, axis=1),
                    f"{name}_backward",
                ),
                axis=1,
            )
            # An empty session has no state; the LSTM repeats the one before.
            states = ops.where(is_session, (forward + backward) / 2, 0)
        return dataclasses.replace(interests, events=states)

    def _lstm(self, states, mask, name):
        # Sessions are few, and `torch.export` takes only an unrolled LSTM with
        # a mask.
        return keras.layers.LSTM(
            states.shape[-1], return_sequences=True, unroll=True, name=name
        )(states, mask=mask)

    def _pooled(self, x, sessions, name):
        scores = x.scores(
            sessions.pairs(),
            self.attention_units,
            name,
            use_bias=False,
            activation=self.attention_activation,
        )
        return sessions.pooled(scores, softmax=True)
