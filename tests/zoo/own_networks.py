"""Models that a user might make without the zoo."""

import keras
from keras import ops

import keras_cowclip
from zoo.layers import FieldOffset


def functional(
    schema,
    output="sigmoid",
    table=keras_cowclip.CowClipEmbedding,
    dropout=0.2,
):
    """A model of the functional API, with one table for all fields."""
    inputs = inputs_of(schema)
    sizes = schema.vocabulary_sizes
    rows = FieldOffset(sizes)(inputs["ids"])
    vectors = table(sum(sizes), 4, name="table")(rows)
    parts = [keras.layers.Flatten()(vectors), inputs["dense"]]
    hidden = keras.layers.Concatenate()(parts)
    hidden = keras.layers.Dense(8, "relu", name="hidden")(hidden)
    hidden = keras.layers.Dropout(dropout)(hidden)
    if len(schema.labels) == 1:
        outputs = keras.layers.Dense(1, output, name="click")(hidden)
    else:
        outputs = {
            label: keras.layers.Dense(1, output, name=label)(hidden)
            for label in schema.labels
        }
    return keras.Model(inputs, outputs)


def inputs_of(schema):
    return {
        name: keras.Input((width,), dtype=dtype, name=name)
        for name, (width, dtype) in schema.inputs().items()
    }


@keras.saving.register_keras_serializable("tests")
class HistoryTower(keras.Model):
    """A subclass that reads a history, whose table is within a layer."""

    def __init__(self, items, units=8, **kwargs):
        super().__init__(**kwargs)
        self.items, self.units = items, units
        self.events = MeanOfEvents(items, units)
        self.hidden = keras.layers.Dense(units, "relu")
        self.click = keras.layers.Dense(1, "sigmoid")

    def call(self, inputs):
        item = inputs["ids"][:, 1:2]
        both = [self.events(inputs["history"]), self.events(item)]
        hidden = self.hidden(ops.concatenate([*both, inputs["dense"]], axis=1))
        return self.click(hidden)

    def get_config(self):
        config = {"items": self.items, "units": self.units}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("tests")
class MeanOfEvents(keras.layers.Layer):
    def __init__(self, items, units, **kwargs):
        super().__init__(**kwargs)
        self.items, self.units = items, units
        self.table = keras_cowclip.CowClipEmbedding(items, units)

    def build(self, input_shape):
        self.table.build()

    def call(self, ids):
        events = self.table(ids, padding_mask=ids >= 0)
        return ops.mean(events, axis=1)

    def get_config(self):
        config = {"items": self.items, "units": self.units}
        return {**super().get_config(), **config}
