"""Reads the rows of a log with the types of a data set."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from zoo.datasets.row_split import RowSplit
from zoo.encoding import rules_sql
from zoo.raw.columns import without_missing
from zoo.raw.log_format import LogFormat
from zoo.raw.source import Source

# The digits of a float32 are another float64, and `prepare` would then encode
# other values than those of the file.
_DENSE_TYPES = {"integer": "int64", "float": "float64"}


def column_types(log_format: LogFormat, label: str) -> dict[str, str]:
    """The type of each column, in the order of the columns.

    Args:
        log_format: `LogFormat`.
        label: string. The name of the column of the label.
    """
    dense = _DENSE_TYPES[log_format.dense_type]
    return {
        label: "int8",
        **dict.fromkeys(log_format.dense, dense),
        **dict.fromkeys(log_format.categorical, "string"),
    }


def read_typed_rows(
    source: Source,
    log_format: LogFormat,
    label: str,
    split: str,
    row_split: RowSplit | None = None,
) -> Iterator[pa.Table]:
    """Yields the rows of a split in batches; empty text becomes null.

    Args:
        source: `Source`.
        log_format: `LogFormat`.
        label: string. The name of the column of the label.
        split: string. Name of the split.
        row_split: `RowSplit`, or `None` if all rows belong to the split.
            Defaults to `None`.

    Raises:
        ValueError: for the first row of the split that breaks a rule of the
            format, with its line; a chosen split without a row.
    """
    num_read = num_rows = 0
    for raw, _ in source.tables():
        num_read += raw.num_rows
        if row_split is not None:
            raw = row_split.rows(raw, split)
        num_rows += raw.num_rows
        row_id = _first_bad_row(raw, log_format)
        if row_id is not None:
            source.raise_first_bad_row(row_id)
        yield _typed(raw, log_format, label)
    if row_split is not None and num_rows == 0:
        raise ValueError(
            f"{source.name}: the {split} split would have no row. Give a "
            "longer log, another seed or other fractions. "
            f"Received: {num_read} rows in all"
        )


def _first_bad_row(raw: pa.Table, log_format: LogFormat) -> int | None:
    query = rules_sql.first_bad_row(log_format)
    with duckdb.connect() as connection:
        connection.register("raw", raw)
        return connection.sql(query).fetchall()[0][0]


def _typed(raw: pa.Table, log_format: LogFormat, label: str) -> pa.Table:
    types = column_types(log_format, label)
    roles = log_format.sql_names(
        (log_format.label, *log_format.dense, *log_format.categorical)
    )
    columns = [
        without_missing(raw[role], log_format.missing_in(name)).cast(kind)
        for role, (name, kind) in zip(roles, types.items(), strict=True)
    ]
    return pa.table(columns, list(types))
