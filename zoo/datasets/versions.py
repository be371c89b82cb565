"""Tells the copies of a log that are in circulation from each other."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet

from zoo.raw.log_format import LogFormat
from zoo.raw.piece import first_line
from zoo.raw.source import SourceLike
from zoo.raw.source import find_pieces
from zoo.raw.table_log import is_parquet
from zoo.raw.table_log import is_table


def version_of(
    source: SourceLike, version: str | None, versions: Mapping[str, LogFormat]
) -> LogFormat:
    """Returns the format of a version, or of the one that a source looks like.

    Text is known by its header, which must be that of a version to the letter,
    and of two versions with the same header the later one by a file for
    validation, which raw logs do not have. Tables are known by their columns.
    What is none of this is taken for the first version, whose reader then says
    what is wrong.

    Args:
        source: what `zoo.encoding.open_source` takes.
        version: string, or `None` for looking.
        versions: dict from names to `LogFormat`, the raw log first.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: for an unknown version.
    """
    if version is not None:
        if version not in versions:
            raise ValueError(
                f"`version` must be one of {tuple(versions)}. "
                f"Received: version={version!r}"
            )
        return versions[version]
    raw, *_ = formats = list(versions.values())
    if is_table(source):
        return _of_columns(_columns_of_table(source), formats)
    pieces = find_pieces(source, raw)
    if is_parquet(pieces[0].path):
        return _of_columns(_columns_of_parquet(pieces[0].path), formats)
    line = first_line(pieces[0])
    fitting = [f for f in formats if f.header and line == _header(f)]
    if len(fitting) > 1:
        parts = {piece.part for piece in find_pieces(source, fitting[-1])}
        return fitting[-1] if "validation" in parts else fitting[0]
    return (fitting or formats)[0]


def _header(log_format: LogFormat) -> str:
    return log_format.delimiter.join(log_format.columns or ())


def _of_columns(columns: list[str], formats: list[LogFormat]) -> LogFormat:
    fitting = [f for f in formats if set(f.used) <= set(columns)]
    return (fitting or formats)[0]


def _columns_of_table(source) -> list[str]:
    table = next(iter(source.values())) if isinstance(source, dict) else source
    return list(table.column_names or next(iter(table)))


def _columns_of_parquet(path: Path) -> list[str]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.schema_arrow.names
    except (pyarrow.ArrowInvalid, OSError):
        return []
