"""Looks all columns of a batch up in one table."""

from typing import Any

import keras

from keras_cowclip import CowClipEmbedding
from zoo.layers import FieldOffset

Tensor = Any


class Table:
    """All columns of a batch, looked up in one table by one call.

    Args:
        features: `zoo.models.batch_features.Features`.
        layer: `CowClipEmbedding`.
        rows: string, the name of the layer that finds the rows.
        shared: boolean. Whether a sequence that shares a field's vocabulary
            also shares its rows. Defaults to `True`.

    Attributes:
        fields: `(batch, num_fields, dim)`.
        sequences: dict from names to `(batch, length, dim)`, zero where padded.
    """

    def __init__(
        self,
        features: Any,
        layer: CowClipEmbedding,
        rows: str,
        shared: bool = True,
    ) -> None:
        schema, inputs = features.schema, features.inputs
        if not schema.sequences:
            offset = FieldOffset(schema.vocabulary_sizes, name=rows)
            self.fields = layer(offset(inputs["ids"]))
            self.sequences: dict[str, Tensor] = {}
            return
        # One call for all columns, as each call costs an update of the whole
        # table.
        vocabularies = (
            schema.vocabularies if shared else schema.unshared_vocabularies
        )
        places = list(vocabularies)
        columns = list(range(schema.num_fields))
        for name, sequence in schema.sequences.items():
            vocabulary = schema.vocabulary_of(name) if shared else name
            columns += [places.index(vocabulary)] * sequence.max_length
        ids = keras.layers.Concatenate(name=f"{rows}_ids")(
            [inputs["ids"], *(inputs[name] for name in schema.sequences)]
        )
        offset = FieldOffset(list(vocabularies.values()), columns, name=rows)
        vectors = layer(offset(ids), padding_mask=ids >= 0)
        start = schema.num_fields
        self.fields, self.sequences = vectors[:, :start], {}
        for name, sequence in schema.sequences.items():
            end = start + sequence.max_length
            self.sequences[name] = vectors[:, start:end]
            start = end
