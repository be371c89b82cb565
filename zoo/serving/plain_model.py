"""Makes a model of stock layers for serving."""

import keras
from keras import ops

from keras_cowclip import CowClipEmbedding
from zoo.feature_schema import FeatureSchema
from zoo.registry import is_network


class _PlainTable(keras.layers.Embedding):
    """A table without `id_counts`, whose lookups may have padding."""

    def call(self, inputs, padding_mask=None):
        if padding_mask is None:
            return super().call(inputs)
        vectors = super().call(ops.where(padding_mask, inputs, 0))
        return ops.where(ops.expand_dims(padding_mask, axis=-1), vectors, 0.0)

    def compute_output_spec(self, inputs, padding_mask=None):
        return super().compute_output_spec(inputs)


def make_plain(model: keras.Model, schema: FeatureSchema) -> keras.Model:
    """Returns a model whose tables count nothing, as serving needs it.

    Several labels are a list of outputs in their order: not every format has
    names, and Keras would sort them.

    Args:
        model: `keras.Model`, which is changed.
        schema: `FeatureSchema` of the model.
    """
    if is_network(model):
        cloned = keras.models.clone_model(model, clone_function=_plain_layer)
        inputs, outputs, name = cloned.input, cloned.output, model.name
    else:
        inputs, outputs = _called(model, schema)
        name = f"served_{model.name}"
    # What a network keeps for losses of its own is not served.
    if isinstance(outputs, dict) and isinstance(outputs.get("kept"), dict):
        outputs = outputs["probabilities"]
    if len(schema.labels) > 1:
        outputs = [outputs[label] for label in schema.labels]
    return keras.Model(inputs, outputs, name=name)


def _plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    if not isinstance(layer, CowClipEmbedding):
        return layer
    return _PlainTable(
        layer.input_dim,
        layer.output_dim,
        embeddings_initializer="zeros",
        weights=layer.get_weights(),
        dtype="float32",
        name=layer.name,
    )


def _called(model: keras.Model, schema: FeatureSchema) -> tuple:
    """Returns inputs and outputs of a model of a user's.

    A clone does not reach layers within layers. So its tables are not replaced,
    and stop counting.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, CowClipEmbedding):
            layer.id_counts.trainable = False
    inputs = {
        name: keras.Input((width,), dtype=dtype, name=name)
        for name, (width, dtype) in schema.inputs().items()
    }
    return inputs, model(inputs, training=False)
