"""A small DIN in plain Keras, and its twin that takes the mean.

Both see the same vectors. One weights each event by how it relates to the item
that is offered, the other weights all alike.
"""

import keras
from keras import layers
from keras import ops


class WeightedEvents(layers.Layer):
    """Sums the vectors of events, weighted by their relation to a target."""

    def __init__(self, units=16, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, activation="relu")
        self.score = layers.Dense(1)

    def build(self, shapes):
        self.hidden.build((None, None, 4 * shapes[0][-1]))
        self.score.build((None, None, self.hidden.units))

    def call(self, inputs):
        events, target, is_event = inputs
        target = ops.broadcast_to(target[:, None], ops.shape(events))
        pairs = [events, target, events - target, events * target]
        scores = self.score(self.hidden(ops.concatenate(pairs, axis=-1)))
        return ops.sum(is_event * scores * events, axis=1)

    def compute_output_shape(self, shapes):
        return shapes[1]


class MeanOfEvents(layers.Layer):
    """The mean of the vectors of events, whatever the target."""

    def call(self, inputs):
        events, _, is_event = inputs
        number = ops.maximum(ops.sum(is_event, axis=1), 1)
        return ops.sum(is_event * events, axis=1) / number

    def compute_output_shape(self, shapes):
        return shapes[1]


def history_network(schema, interest, embedding_dim=8, hidden_units=(64, 32)):
    """Builds a network of the fields and of what `interest` makes of a history.

    Args:
        schema: that of `make_log(history=...)`.
        interest: layer, called with the events' vectors, the target's and
            `(batch, events, 1)`, 1 for an event and 0 for padding.
        embedding_dim: integer. Defaults to `8`.
        hidden_units: integers. Defaults to `(64, 32)`.
    """
    inputs = {
        name: layers.Input((width,), dtype=dtype, name=name)
        for name, (width, dtype) in schema.inputs().items()
    }
    tables = {
        name: layers.Embedding(
            size,
            embedding_dim,
            embeddings_initializer=keras.initializers.RandomNormal(0, 0.3),
        )
        for name, size in schema.categorical.items()
    }
    fields = {
        name: table(inputs["ids"][:, place])
        for place, (name, table) in enumerate(tables.items())
    }
    events = [
        tables[schema.vocabulary_of(name)](ops.maximum(inputs[name], 0))
        for name in schema.sequences
    ]
    target = [fields[schema.vocabulary_of(name)] for name in schema.sequences]
    is_event = ops.cast(inputs["history"] >= 0, "float32")[:, :, None]
    of_history = interest(
        [
            ops.concatenate(events, axis=-1),
            ops.concatenate(target, axis=-1),
            is_event,
        ]
    )
    x = ops.concatenate(
        [*fields.values(), of_history, inputs["dense"]], axis=-1
    )
    for number, units in enumerate(hidden_units):
        # By default Keras would call one "dense", as an input is.
        x = layers.Dense(units, activation="relu", name=f"hidden_{number}")(x)
    click = layers.Dense(1, activation="sigmoid", name="click")
    return keras.Model(inputs, click(x))
