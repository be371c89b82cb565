"""Finds the format of a log by its version or by the names of its columns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet

from zoo.checks import check_choice
from zoo.feature_schema import FeatureSchema
from zoo.raw.list_column import ListColumn
from zoo.raw.log_files import SourceLike
from zoo.raw.log_files import find_files
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import first_line
from zoo.raw.tables import is_parquet
from zoo.raw.tables import is_table
from zoo.raw.tables import named_tables

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def log_format_of(schema: FeatureSchema, source: SourceLike) -> LogFormat:
    """Makes the format of a log from the names of its columns alone.

    Args:
        schema: `FeatureSchema`.
        source: what `zoo.encoding.open_raw_log` takes.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if the suffix of a text file does not tell the delimiter.
    """
    if not isinstance(schema, FeatureSchema):
        raise ValueError(
            "`schema` must be a `LogFormat` or a `FeatureSchema`. "
            f"Received: {schema!r:.100}"
        )
    several = len(schema.labels) > 1
    log_format = LogFormat(
        name="clicks",
        label="label" if several else schema.label,
        labels=schema.labels if several else None,
        weight=schema.weight,
        sequences={
            name: ListColumn(sequence.field, sequence.max_length)
            for name, sequence in schema.sequences.items()
        },
        roles=schema.roles,
        dense=tuple(schema.dense),
        categorical=tuple(schema.categorical),
        header=True,
        quoted=True,
        dense_type="float",
    )
    if is_table(source):
        return log_format
    raw_file = find_files(source, log_format)[0]
    if is_parquet(raw_file.path):
        return log_format
    name = Path(raw_file.member or raw_file.path.name)
    if name.suffix in (".gz", ".bz2", ".xz"):
        name = Path(name.stem)
    suffix = name.suffix
    if suffix not in _DELIMITERS:
        raise ValueError(
            "`schema` must be a `LogFormat`, which says what is between the "
            f"values, unless a file ends in one of {list(_DELIMITERS)}. "
            f"Received: {raw_file} with a FeatureSchema"
        )
    return replace(log_format, delimiter=_DELIMITERS[suffix])


def version_of(
    source: SourceLike, version: str | None, versions: Mapping[str, LogFormat]
) -> LogFormat:
    """Returns the format of a version, or of the one that a source matches.

    Text is matched by its header, letter by letter. If two versions have the
    same header, a file for validation decides for the later one, because raw
    logs have none. Tables are matched by their columns. A source that matches
    no version gets the first one, whose reader then reports what is wrong.

    Args:
        source: what `zoo.encoding.open_raw_log` takes.
        version: string, or `None` to find it.
        versions: dict from names to `LogFormat`, the raw log first.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: for an unknown version.
    """
    if version is not None:
        check_choice("version", version, versions)
        return versions[version]
    raw, *_ = formats = list(versions.values())
    if is_table(source):
        return _of_columns(named_tables(source)[0].columns, formats)
    files = find_files(source, raw)
    if is_parquet(files[0].path):
        return _of_columns(_columns_of_parquet(files[0].path), formats)
    line = first_line(files[0])
    fitting = [f for f in formats if f.header and line == _header(f)]
    if len(fitting) > 1:
        origins = {
            raw_file.origin for raw_file in find_files(source, fitting[-1])
        }
        return fitting[-1] if "validation" in origins else fitting[0]
    return (fitting or formats)[0]


def _header(log_format: LogFormat) -> str:
    return log_format.delimiter.join(log_format.columns or ())


def _of_columns(columns: list[str], formats: list[LogFormat]) -> LogFormat:
    fitting = [f for f in formats if set(f.used) <= set(columns)]
    return (fitting or formats)[0]


def _columns_of_parquet(path: Path) -> list[str]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.schema_arrow.names
    except (pyarrow.ArrowInvalid, OSError):
        return []
