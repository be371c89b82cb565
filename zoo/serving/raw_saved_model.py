"""Puts an encoder in front of a SavedModel, so that it takes raw rows."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.encoding import ClickEncoder
from zoo.encoding.list_ids import PADDING
from zoo.encoding.sql import FIRST_ID
from zoo.encoding.sql import MISSING_ID
from zoo.encoding.sql import UNKNOWN_ID
from zoo.serving.signature_names import name_inputs
from zoo.serving.tensorflow_md5 import hash_text
from zoo.serving.text_ids import TextIds
from zoo.serving.text_ids import missing_texts

# A table's file has a text and its id on each line.
_ESCAPES = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}


def put_encoder_into_saved_model(
    path: Path, encoder: ClickEncoder, known: Mapping[str, TextIds]
) -> None:
    """Replaces a model of encoded rows by one of raw rows.

    Args:
        path: path of a SavedModel that `zoo.export` wrote, in a temporary
            folder.
        encoder: `ClickEncoder`.
        known: `read_text_ids` of the encoder.
    """
    import tensorflow as tf

    plain_path = path.with_name(f"{path.name}.plain")
    path.rename(plain_path)
    plain = tf.saved_model.load(str(plain_path))
    model = tf.Module()
    model.plain = plain
    model.tables = {}
    # Their files are copied when the model is saved.
    folder = path.with_name(f"{path.name}.vocabularies")
    folder.mkdir()
    for number, (name, texts) in enumerate(known.items()):
        file = folder / f"vocabulary_{number}.txt"
        model.tables[name] = _table(texts, file)

    def serve(columns):
        return plain.serve(_encode(columns, encoder, model.tables))

    log_format = encoder.log_format
    types = dict.fromkeys(log_format.dense, tf.float64)
    types |= dict.fromkeys(log_format.token_columns, tf.string)
    names = name_inputs(types)
    columns = {
        name: tf.TensorSpec([None], dtype, names[name])
        for name, dtype in types.items()
    }
    model.serve = tf.function(serve, input_signature=[columns], autograph=False)
    signature = model.serve.get_concrete_function()
    tf.saved_model.save(
        model,
        str(path),
        signatures={"serve": signature, "serving_default": signature},
        # Those of JAX can't be saved twice, and nobody trains what is served.
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )


def _table(known: TextIds, file: Path) -> Any:
    """Returns the table of a vocabulary, and writes its file."""
    import tensorflow as tf

    with open(file, "wb") as lines:
        for text, id in zip(known.texts, known.ids.tolist(), strict=True):
            for character, escape in _ESCAPES.items():
                text = text.replace(character, escape)
            lines.write(b"%b\t%d\n" % (text, id))
    by_line = tf.lookup.TextFileInitializer(
        *(str(file), tf.string, 0, tf.int64, 1), delimiter="\t"
    )
    return tf.lookup.StaticHashTable(by_line, UNKNOWN_ID)


def _encode(
    columns: Mapping[str, Any], encoder: ClickEncoder, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the inputs of the model, for columns of `(batch,)`."""
    import tensorflow as tf

    log_format = encoder.log_format
    names = log_format.categorical
    text = tf.stack([columns[name] for name in names], axis=1)
    inputs = {
        "dense": _dense(columns, encoder, tf.shape(text)[0]),
        "ids": _ids(text, names, encoder, tables),
    }
    for name, column in log_format.sequences.items():
        split = tf.strings.split(columns[name], column.separator)
        lengths = split.row_lengths()
        is_missing = _is_missing(columns[name], name, encoder)
        lengths = tf.where(is_missing, tf.zeros_like(lengths), lengths)
        events = split.to_tensor()[:, None]
        ids = _ids(events, [name], encoder, tables)[:, 0]
        longest = column.max_length
        padded = tf.pad(ids, [[0, 0], [longest, 0]], constant_values=PADDING)
        # They have `longest` of padding in front, so that the last `longest`
        # events of a list begin at the place of its length.
        places = lengths[:, None] + tf.range(longest, dtype=tf.int64)
        inputs[name] = tf.gather(padded, places, axis=1, batch_dims=1)
    return inputs


def _dense(
    columns: Mapping[str, Any], encoder: ClickEncoder, num_rows: Any
) -> Any:
    """Returns the transformed numbers; NaN is a missing one."""
    import tensorflow as tf

    names = encoder.log_format.dense
    if not names:
        return tf.zeros([num_rows, 0])
    numbers = tf.stack([columns[name] for name in names], axis=1)
    numbers = tf.where(tf.math.is_nan(numbers), tf.zeros_like(numbers), numbers)
    transform = encoder.settings.dense_transform
    if transform == "log":
        numbers = tf.sign(numbers) * tf.math.log(1 + tf.abs(numbers))
    elif transform == "minmax":
        low, high = np.asarray(encoder.dense_ranges).T
        # A column with one value becomes 0 by the numerator.
        span = np.where(high > low, high - low, 1)
        numbers = (tf.minimum(tf.maximum(numbers, low), high) - low) / span
    return tf.cast(numbers, tf.float32)


def _ids(
    text: Any,
    names: Sequence[str],
    encoder: ClickEncoder,
    tables: Mapping[str, Any],
) -> Any:
    """Returns the int32 ids of texts, `(batch, columns, ...)`."""
    import tensorflow as tf

    num_buckets = encoder.settings.num_buckets
    if num_buckets is not None:
        hashed = hash_text(tf.reshape(text, [-1]))
        hashed = tf.cast(FIRST_ID + hashed % num_buckets, tf.int32)
        hashed = tf.reshape(hashed, tf.shape(text))
        is_missing = _is_missing(text, names[0], encoder)
        return tf.where(is_missing, MISSING_ID, hashed)
    vocabularies = map(encoder.log_format.vocabulary_of, names)
    ids = [
        tables[vocabulary].lookup(column)
        for vocabulary, column in zip(
            vocabularies, tf.unstack(_escape(text), axis=1), strict=True
        )
    ]
    return tf.cast(tf.stack(ids, axis=1), tf.int32)


def _is_missing(text: Any, name: str, encoder: ClickEncoder) -> Any:
    """Whether texts are missing values, which all token columns have alike."""
    import tensorflow as tf

    missing = tf.constant(missing_texts(encoder, name))
    return tf.reduce_any(text[..., None] == missing, axis=-1)


def _escape(text: Any) -> Any:
    import tensorflow as tf

    for character, escape in _ESCAPES.items():
        # A backslash stands for itself where another one is before it.
        pattern, new = (
            part.replace(b"\\", b"\\\\") for part in (character, escape)
        )
        text = tf.strings.regex_replace(text, pattern, new)
    return text
