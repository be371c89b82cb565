"""Makes a model of stock layers for serving."""

import keras
from keras import ops

from keras_cowclip import CowClipEmbedding
from zoo.models.ctr_model import CTRModel


class _PlainTable(keras.layers.Embedding):
    """A table without `id_counts`, whose lookups may have padding."""

    def call(self, inputs, padding_mask=None):
        if padding_mask is None:
            return super().call(inputs)
        vectors = super().call(ops.where(padding_mask, inputs, 0))
        return ops.where(ops.expand_dims(padding_mask, axis=-1), vectors, 0.0)

    def compute_output_spec(self, inputs, padding_mask=None):
        return super().compute_output_spec(inputs)


def without_counts(model: CTRModel) -> keras.Model:
    """Returns the model with plain tables: serving needs no `id_counts`."""

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
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

    cloned = keras.models.clone_model(model, clone_function=plain)
    outputs = cloned.output
    labels = model.schema.labels
    if isinstance(outputs, dict) and isinstance(outputs.get("kept"), dict):
        outputs = outputs["probabilities"]
    if len(labels) > 1:
        # By place: not every format has names, and Keras would sort them.
        outputs = [outputs[label] for label in labels]
    return keras.Model(cloned.input, outputs, name=model.name)
