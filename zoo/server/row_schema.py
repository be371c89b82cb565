"""Describes the rows of an encoder for the page of the API."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet

from zoo.encoding.encoder import ClickEncoder

_TOKEN = ["string", "integer", "boolean", "null"]


def body_schema(encoder: ClickEncoder) -> dict[str, Any]:
    """Returns the JSON Schema of a request's body."""
    log_format = encoder.log_format
    number = "integer" if log_format.dense_type == "integer" else "number"
    kinds: dict[str, dict[str, Any]] = {
        name: {"type": [number, "string", "null"]} for name in log_format.dense
    }
    kinds |= {name: {"type": _TOKEN} for name in log_format.categorical}
    lists = {"type": ["array", "string", "null"], "items": {"type": _TOKEN}}
    kinds |= dict.fromkeys(log_format.sequences, lists)
    row = {"type": "object", "required": [*kinds], "properties": kinds}
    rows = {"oneOf": [{"type": "array", "items": row}, row]}
    return {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": rows},
        "additionalProperties": False,
    }


def example_row(encoder: ClickEncoder) -> dict[str, Any]:
    """Returns a row of the smallest numbers and the most frequent tokens."""
    log_format = encoder.log_format
    cast = int if log_format.dense_type == "integer" else float
    row: dict[str, Any] = {
        name: cast(low)
        for name, (low, _) in zip(
            log_format.dense, encoder.dense_ranges, strict=True
        )
    }
    tokens = _frequent_tokens(encoder)
    for name in log_format.categorical:
        row[name] = tokens.get(name)
    for name in log_format.sequences:
        row[name] = [tokens.get(log_format.vocabulary_of(name))]
    return row


def _frequent_tokens(encoder: ClickEncoder) -> dict[str, str | None]:
    """Returns the first token of each vocabulary, `None` of an empty one."""
    tokens = {}
    files = encoder.vocabularies
    for name, path in zip(files.names, files.paths(), strict=True):
        first = pa.parquet.ParquetFile(path).iter_batches(1, columns=["token"])
        batch = next(first, None)
        tokens[name] = batch["token"][0].as_py() if batch else None
    return tokens
