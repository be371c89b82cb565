"""Checks that a user's own model takes and gives what a log has."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_cowclip import CowClipEmbedding
from zoo.feature_schema import PADDING
from zoo.feature_schema import FeatureSchema
from zoo.runtime.out_of_memory import is_out_of_memory

_ROWS = 64


class UnclippedTableWarning(UserWarning):
    """A table is trained without CowClip, which can't see its rows."""


def check_fits(model: keras.Model, schema: FeatureSchema) -> None:
    """Raises unless a model takes the columns of a schema and predicts.

    The model predicts 64 drawn rows, two of which have the smallest and the
    largest ids. That gives a subclass its weights.

    Args:
        model: `keras.Model`, of any class.
        schema: `FeatureSchema`, the columns of a log.

    Raises:
        ValueError: naming the input or the layer, for other inputs, too small
            a table, padding that is looked up, or outputs other than a
            probability for each label.
    """
    taken = getattr(model, "input", None)
    if taken is not None:
        _check_inputs(taken, schema)
    batch = _drawn_rows(schema)
    problems: list[str] = []
    with _watched_tables(model, problems):
        try:
            outputs = model(batch, training=False)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            if not problems:
                raise ValueError(
                    "`model` must take a batch of the log, a dict "
                    f"{_shapes(schema)}. Received: {type(error).__name__}: "
                    f"{_original(error)}"
                ) from error
    if problems:
        raise ValueError(problems[0])
    _check_outputs(outputs, schema)


def warn_of_unclipped_tables(model: keras.Model) -> None:
    """Warns of tables that are trained, but not clipped.

    Warns:
        UnclippedTableWarning: naming the layers.
    """
    names = [
        table.name
        for table in _tables(model)
        if not isinstance(table, CowClipEmbedding) and table.trainable
    ]
    if names:
        warnings.warn(
            "A `keras.layers.Embedding` is trained as a dense weight, without "
            "CowClip and the learning rate of tables: for ids use "
            "`keras_cowclip.CowClipEmbedding`, which takes the same arguments. "
            f"Received: model with the layers {names}",
            UnclippedTableWarning,
            stacklevel=2,
        )


def _original(error: Exception) -> str:
    """Returns what a layer raised, of what Keras prints in bold around it."""
    bold = re.search(r"\x1b\[1m(.*?)\x1b\[0m", str(error), re.DOTALL)
    return bold[1] if bold else str(error)


def _shapes(schema: FeatureSchema) -> str:
    shapes = [
        f"{name!r}: (batch, {width}) {dtype}"
        for name, (width, dtype) in schema.inputs().items()
    ]
    return f"{{{', '.join(shapes)}}}"


def _check_inputs(taken: Any, schema: FeatureSchema) -> None:
    expected = schema.inputs()
    if not isinstance(taken, dict) or set(taken) != set(expected):
        received = sorted(taken) if isinstance(taken, dict) else taken
        raise ValueError(
            "`model` must have a dict of inputs with the names of the log's, "
            f"also of those that it does not use: {_shapes(schema)}. "
            f"Received: {received}"
        )
    for name, (width, dtype) in expected.items():
        shape, received = tuple(taken[name].shape), taken[name].dtype
        if shape not in ((None, width), (None, None)):
            raise ValueError(
                f"`model` must take the input '{name}' with the shape (batch, "
                f"{width}). Received: {shape}"
            )
        is_same_kind = ("int" in received) == ("int" in dtype)
        if not is_same_kind or "bool" in received:
            raise ValueError(
                f"`model` must take the input '{name}' as {dtype}: "
                f"`keras.Input(({width},), dtype={dtype!r})`. "
                f"Received: dtype={received}"
            )


def _drawn_rows(schema: FeatureSchema) -> dict[str, np.ndarray]:
    """Returns rows with all columns at once at their smallest and largest."""
    random = np.random.default_rng(0)

    def draw(size: int, width: int) -> np.ndarray:
        ids = random.integers(0, size, (_ROWS, width), dtype="int32")
        ids[0], ids[-1] = 0, size - 1
        return ids

    columns = [draw(size, 1) for size in schema.vocabulary_sizes]
    sequences = {}
    for name, sequence in schema.sequences.items():
        length = sequence.max_length
        ids = draw(schema.vocabularies[schema.vocabulary_of(name)], length)
        # From no event in the first row to all in the last one.
        events = np.linspace(0, length, _ROWS).astype(int)
        ids[np.arange(length) < length - events[:, None]] = PADDING
        sequences[name] = ids
    dense = random.normal(size=(_ROWS, schema.num_dense)).astype("float32")
    return {"dense": dense, "ids": np.concatenate(columns, axis=1), **sequences}


def _tables(model: keras.Model) -> list[keras.layers.Embedding]:
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.Embedding)
    ]


@contextlib.contextmanager
def _watched_tables(model: keras.Model, problems: list[str]) -> Iterator[None]:
    """Notes ids that a table has no row for, which JAX would make NaN."""
    tables = _tables(model)
    for table in tables:
        vars(table)["call"] = partial(_watch, table, table.call, problems)
    try:
        yield
    finally:
        for table in tables:
            del vars(table)["call"]


def _watch(
    table: keras.layers.Embedding,
    call: Any,
    problems: list[str],
    inputs: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    looked_up = _ids_of(inputs, *args, **kwargs)
    for id in (looked_up.min(), looked_up.max()) if len(looked_up) else ():
        if not 0 <= id < table.input_dim:
            problems.append(
                "`model` must have a row for each id of the log, and must not "
                f"look up the padding of sequences, {PADDING}: its layer "
                f"'{table.name}' has the ids [0, {table.input_dim}). "
                f"Received: id {id}"
            )
    return call(inputs, *args, **kwargs)


def _ids_of(inputs: Any, padding_mask: Any = None) -> np.ndarray:
    try:
        ids = keras.ops.convert_to_numpy(inputs)
        if padding_mask is None:
            return ids.ravel()
        return ids[keras.ops.convert_to_numpy(padding_mask)]
    except Exception:  # Each backend has its own, for symbols without values.
        # Keras builds a subclass by such before it calls it on values.
        return np.empty(0, "int32")


def _check_outputs(outputs: Any, schema: FeatureSchema) -> None:
    labels = schema.labels
    if len(labels) == 1:
        _check_probabilities(outputs, "`model`")
        return
    if not isinstance(outputs, dict) or set(outputs) != set(labels):
        received = sorted(outputs) if isinstance(outputs, dict) else outputs
        raise ValueError(
            "`model` must return a dict with a probability for each label of "
            f"the log, {list(labels)}. Received: {_described(received)}"
        )
    for label in labels:
        _check_probabilities(outputs[label], f"`model` for the label '{label}'")


def _check_probabilities(output: Any, what: str) -> None:
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape) != (_ROWS, 1):
        raise ValueError(
            f"{what} must return probabilities of the shape (batch, 1). "
            f"Received: {_described(output)} for a batch of {_ROWS}"
        )
    values = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
    outside = values[~((values >= 0) & (values <= 1))]
    if len(outside):
        raise ValueError(
            f"{what} must return probabilities, in [0, 1]: its last layer has "
            'no `activation="sigmoid"`, or something is not finite, such as '
            "the mean of a history without events. "
            f"Received: {outside[0]}"
        )


def _described(output: Any) -> str:
    shape = getattr(output, "shape", None)
    return str(output) if shape is None else f"shape {tuple(shape)}"
