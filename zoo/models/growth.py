"""Grows trained models to larger vocabularies."""

import keras
import numpy as np

from zoo.feature_schema import FeatureSchema
from zoo.models.ctr_model import CTRModel


def grow(model: CTRModel, schema: FeatureSchema) -> CTRModel:
    """Returns a trained model for a larger vocabulary.

    A new day of clicks brings new ids; those of before keep their place in
    their field. The model returned predicts for them exactly what `model`
    does, and has a fresh row, drawn by the table's own initializer, for every
    new one: train it on from there. Beside the two models, growth needs host
    memory for up to three more copies of the largest table for a moment.

    Args:
        model: a model of the zoo. It stays as it is.
        schema: `zoo.FeatureSchema` with the columns of `model.schema` in the
            same order, every vocabulary at least as large as there.

    Returns:
        A new model of the same class, arguments, name, dtype policy and
        trainable layers, uncompiled.

    Raises:
        ValueError: if `model` is not a model of the zoo or was changed behind
            its constructor (LoRA, quantization), if `schema` has other columns
            or a smaller vocabulary, or if a weight depends on the vocabulary
            and is not a table that all fields share.

    Example:

    ```python
    monday = zoo.DeepFM(zoo.FeatureSchema(["price"], {"site": 1000}))
    tuesday = zoo.grow(monday, zoo.FeatureSchema(["price"], {"site": 1200}))
    inputs = {"dense": np.ones((1, 1)), "ids": np.full((1, 1), 999)}
    monday.predict(inputs) == tuesday.predict(inputs)  # 1199 is an id now, too
    ```
    """
    _check_arguments(model, schema)
    grown = _build(model, schema)
    if len(model.variables) != len(grown.variables):
        raise ValueError(
            "`model` must have the weights that its constructor makes, "
            f"{len(grown.variables)} with the states of its random seeds. "
            f"Received: a model with {len(model.variables)}"
        )
    for old, new in zip(model.variables, grown.variables, strict=True):
        _copy_weight(old, new, model, schema)
    # The config has `trainable` of the whole model only.
    for layer, grown_layer in zip(model.layers, grown.layers, strict=True):
        grown_layer.trainable = layer.trainable
    return grown


def _check_arguments(model: CTRModel, schema: FeatureSchema) -> None:
    if not isinstance(model, CTRModel):
        raise ValueError(
            "`model` must be a model of the zoo. The tables of one of yours "
            "do not grow, for nothing says whose ids its rows are: make it a "
            f"`zoo.CTRModel` to grow it. Received: model={model!r}"
        )
    if not isinstance(schema, FeatureSchema):
        raise ValueError(
            f"`schema` must be a `FeatureSchema`. Received: schema={schema!r}"
        )
    old = model.schema
    for what, expected, received in (
        ("dense columns", old.dense, schema.dense),
        ("fields", list(old.categorical), list(schema.categorical)),
        ("sequences", _lists(old), _lists(schema)),
        ("labels", ", ".join(old.labels), ", ".join(schema.labels)),
        ("roles", old.roles, schema.roles),
    ):
        if received != expected:
            raise ValueError(
                f"`schema` must have the {what} of the model, in its order: "
                f"{expected}. Received: {received}"
            )
    for name, size in old.vocabularies.items():
        if schema.vocabularies[name] < size:
            raise ValueError(
                f"`schema` must have at least the {size} ids of the model in "
                f"field '{name}'. Received: {schema.vocabularies[name]}"
            )


def _lists(schema: FeatureSchema) -> list[tuple[str, str, int]]:
    """Returns the parts of each sequence that a larger schema must keep."""
    return [
        (name, schema.vocabulary_of(name), sequence.max_length)
        for name, sequence in schema.sequences.items()
    ]


def _build(model: CTRModel, schema: FeatureSchema) -> CTRModel:
    config = {**model.get_config(), "schema": schema}
    return type(model).from_config(config)


def _copy_weight(
    old: keras.Variable,
    new: keras.Variable,
    model: CTRModel,
    schema: FeatureSchema,
) -> None:
    old_shape, shape = tuple(old.shape), tuple(new.shape)
    sizes = _stacked_sizes(old_shape, shape, old.path, model, schema)
    if old.dtype != new.dtype or not (old_shape == shape or sizes):
        raise ValueError(
            "A weight of `model` must not depend on the vocabulary, or be a "
            f"table of all {model.schema.num_ids} ids. "
            f"Received: {old.path} of shape {old_shape} and dtype {old.dtype} "
            f"that becomes {shape} and {new.dtype}"
        )
    # No size shrank, so equal sums mean equal sizes.
    if old_shape == shape:
        # The copy goes through the host. On JAX both models would otherwise
        # share the array, which a train step of one donates and so deletes.
        new.assign(keras.ops.convert_to_numpy(old.value))
    else:
        new.assign(_move_rows(old, new, *sizes))


def _stacked_sizes(
    old_shape: tuple[int, ...],
    shape: tuple[int, ...],
    path: str,
    model: CTRModel,
    schema: FeatureSchema,
) -> tuple[list[int], ...]:
    """The sizes of the vocabularies that make up a table; `()` if none do."""
    if old_shape[1:] != shape[1:]:
        return ()
    layer = path.split("/")[-2]
    # A table that a user's network makes itself has all ids.
    names = model.vocabularies_of_tables.get(layer, [*schema.vocabularies])
    sizes = [
        [s.vocabularies[s.vocabulary_of(name)] for name in names]
        for s in (model.schema, schema)
    ]
    if (old_shape[:1], shape[:1]) == tuple((sum(s),) for s in sizes):
        return tuple(sizes)
    return ()


def _move_rows(
    old: keras.Variable,
    new: keras.Variable,
    old_sizes: list[int],
    sizes: list[int],
) -> np.ndarray:
    """Returns the new table with the old one's rows at their fields' places."""
    rows = keras.ops.convert_to_numpy(new.value)
    old_start = start = 0
    for old_size, size in zip(old_sizes, sizes, strict=True):
        # One field at a time needs no second copy of the whole old table.
        rows[start : start + old_size] = keras.ops.convert_to_numpy(
            old.value[old_start : old_start + old_size]
        )
        old_start, start = old_start + old_size, start + size
    return rows
