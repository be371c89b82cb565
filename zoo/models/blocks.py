"""Builds the parts that networks share, as functions on Keras tensors."""

from typing import Any

import keras

from keras_cowclip import CowClipEmbedding
from zoo.feature_schema import FeatureSchema
from zoo.layers import ClickProbability
from zoo.layers import FieldOffset
from zoo.layers import FieldSum

Tensor = Any


def click_inputs(schema: FeatureSchema) -> dict[str, Tensor]:
    """Returns `{"dense": (batch, num_dense), "ids": (batch, num_fields)}`."""
    return {
        "dense": keras.Input((schema.num_dense,), name="dense"),
        "ids": keras.Input((schema.num_fields,), dtype="int32", name="ids"),
    }


def embed_fields(
    schema: FeatureSchema,
    inputs: dict[str, Tensor],
    embedding_dim: int,
    deviation: float,
    dtype,
) -> Tensor:
    """Looks all fields up in one table: `(batch, fields, embedding_dim)`."""
    rows = FieldOffset(schema.vocabulary_sizes, name="rows")(inputs["ids"])
    return CowClipEmbedding(
        schema.num_ids,
        embedding_dim,
        embeddings_initializer=keras.initializers.RandomNormal(
            stddev=deviation
        ),
        dtype=dtype,
        name="embeddings",
    )(rows)


def flatten_features(
    embeddings: Tensor, inputs: dict[str, Tensor], dtype
) -> Tensor:
    """Joins the embeddings of all fields and the dense columns.

    `(batch, num_fields * embedding_dim + num_dense)`.
    """
    return keras.layers.Concatenate(dtype=dtype, name="features")(
        [keras.layers.Flatten(dtype=dtype)(embeddings), inputs["dense"]]
    )


def linear_logit(
    schema: FeatureSchema, inputs: dict[str, Tensor], l2: float, dtype
) -> Tensor:
    """The wide part: one weight an id and one a dense column, `(batch, 1)`.

    The ids' weights are an embedding table of one dimension that is never
    clipped; their l2 is the optimizer's. `l2` is for the dense columns.
    """
    rows = FieldOffset(schema.vocabulary_sizes, name="linear_rows")(
        inputs["ids"]
    )
    weights = CowClipEmbedding(
        schema.num_ids,
        1,
        clip=False,
        embeddings_initializer="zeros",
        dtype=dtype,
        name="linear_embeddings",
    )(rows)
    logit = FieldSum(dtype=dtype, name="linear_ids")(weights)
    if not schema.num_dense:
        return logit
    dense = keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer="glorot_normal",
        kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
        dtype=dtype,
        name="linear_dense",
    )(inputs["dense"])
    return keras.layers.Add(dtype=dtype, name="linear")([logit, dense])


def hidden_layers(
    features: Tensor, hidden_units: tuple[int, ...], dropout: float, dtype
) -> Tensor:
    """A ReLU multilayer perceptron: `(batch, hidden_units[-1])`."""
    for i, units in enumerate(hidden_units, start=1):
        features = keras.layers.Dense(
            units,
            activation="relu",
            kernel_initializer="glorot_normal",
            dtype=dtype,
            name=f"hidden_{i}",
        )(features)
        if dropout:
            features = keras.layers.Dropout(
                dropout, dtype=dtype, name=f"dropout_{i}"
            )(features)
    return features


def logit(features: Tensor, dtype) -> Tensor:
    """A linear output without bias, `(batch, 1)`."""
    return keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer="glorot_normal",
        dtype=dtype,
        name="logit",
    )(features)


def click_output(logits: list[Tensor]) -> Tensor:
    """Sigmoid of the sum of the logits and one bias, `(batch, 1)` float32."""
    total = keras.layers.Add(dtype="float32", name="logits")(logits)
    return ClickProbability(dtype="float32", name="click")(total)
