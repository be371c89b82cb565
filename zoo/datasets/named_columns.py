"""The format of a log of which only the names of columns are given."""

from dataclasses import replace
from pathlib import Path

from zoo.feature_schema import FeatureSchema
from zoo.raw.log_format import LogFormat
from zoo.raw.source import SourceLike
from zoo.raw.source import find_pieces
from zoo.raw.table_log import is_parquet
from zoo.raw.table_log import is_table

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def log_format_of(schema: FeatureSchema, source: SourceLike) -> LogFormat:
    """Makes the format of a log that is told by its columns' names alone.

    Args:
        schema: `FeatureSchema`.
        source: what `zoo.encoding.open_source` takes.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if the name of a text file does not tell what is between
            its values.
    """
    if not isinstance(schema, FeatureSchema):
        raise ValueError(
            "`schema` must be a `LogFormat` or a `FeatureSchema`. "
            f"Received: {schema!r:.100}"
        )
    log_format = LogFormat(
        name="clicks",
        label=schema.label,
        dense=tuple(schema.dense),
        categorical=tuple(schema.categorical),
        header=True,
        quoted=True,
        dense_type="float",
    )
    if is_table(source):
        return log_format
    piece = find_pieces(source, log_format)[0]
    if is_parquet(piece.path):
        return log_format
    name = Path(piece.member or piece.path.name)
    suffix = Path(name.stem).suffix if name.suffix == ".gz" else name.suffix
    if suffix not in _DELIMITERS:
        raise ValueError(
            "`schema` must be a `LogFormat`, which says what is between the "
            f"values, unless a file ends in one of {list(_DELIMITERS)}. "
            f"Received: {piece} with a FeatureSchema"
        )
    return replace(log_format, delimiter=_DELIMITERS[suffix])
