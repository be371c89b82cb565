"""Reads raw logs that are tables already: Parquet files and data sets."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from zoo.raw import times
from zoo.raw.bad_line import broken_rule_of_row
from zoo.raw.bad_line import broken_rule_of_value
from zoo.raw.bad_line import shown
from zoo.raw.columns import InexactFloat
from zoo.raw.columns import as_text
from zoo.raw.columns import kind_of
from zoo.raw.columns import remedy_of
from zoo.raw.list_values import KINDS
from zoo.raw.list_values import as_lists
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import has_splits
from zoo.raw.splits import SPLITS
from zoo.raw.tables import ParquetTable
from zoo.raw.tables import named_tables
from zoo.raw.tables import number_rows

# The loaders of `zoo.datasets` may call the label of any log so.
_COMMON_LABEL = "label"


class TableLog:
    """A log in Parquet files or data sets: a `Source` of `zoo.raw.source`.

    Without a column of the format's name for the label, the label may also be
    called `label`, as the loaders of `zoo.datasets` call it.

    Args:
        source: list of `RawFile`, each a Parquet file; a `pyarrow.Table` or a
            DataFrame; or one of the data sets of `datasets`.
        log_format: `LogFormat`.

    Raises:
        ValueError: for a damaged file, or a table that lacks a column of the
            format or has another type for it than the first table.
    """

    def __init__(self, source: Sequence[RawFile] | Any, log_format: LogFormat):
        self.log_format = log_format
        if isinstance(source, list):
            self.holders: list = [ParquetTable(raw_file) for raw_file in source]
            self.name = str(source[0])
            if len(source) > 1:
                self.name = str(source[0].path.parent)
            self.has_splits = has_splits(source)
        else:
            self.holders = named_tables(source)
            self.name = type(source).__name__
            self.has_splits = all(t.origin in SPLITS for t in self.holders)
        self.joins_lists = False
        self.kinds: dict[str, str] = {}
        self.files = [t.file for t in self.holders if hasattr(t, "file")]
        self.size = sum(table.num_rows for table in self.holders)
        for table in self.holders:
            self._check_columns(table)
            self._note_kinds(table.types)

    def tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yields `raw` of `zoo.encoding.sql` and the number of rows read."""
        first_row = 0
        used = self.log_format.used
        sql_names = list(self.log_format.sql_names(used))
        for table, start, batch in self._batches():
            self._note_kinds({name: batch[name].type for name in used})
            columns = [
                self._values(batch[name], name, table, start) for name in used
            ]
            raw = pa.table(columns, sql_names)
            raw = number_rows(raw, first_row, table.origin)
            first_row += raw.num_rows
            yield raw, first_row

    def raise_first_bad_row(self, row_id: int) -> None:
        first_row = 0
        for table, start, batch in self._batches():
            row = row_id - first_row
            first_row += batch.num_rows
            if row >= batch.num_rows:
                continue
            values = {
                name: self._values(batch[name], name, table, start)[row].as_py()
                for name in self.log_format.used
            }
            rule, value = self._broken_rule(values)
            if rule:
                raise ValueError(
                    f"{table}, row {start + row}: {rule} "
                    f"Received: {shown(value)}"
                )
            break
        raise ValueError(
            f"{self.name}: row {row_id} breaks a rule of the "
            f"{self.log_format.name} log. Received: a source that changed "
            "while it was read"
        )

    def _batches(self) -> Iterator[tuple[Any, int, pa.Table]]:
        """Yields rows with their table, and the number of the first in it.

        The columns are those that are read, called as in the format.
        """
        used = list(self.log_format.used)
        for table in self.holders:
            start = 0
            names = self.names_in(table)
            for batch in table.batches(names):
                yield table, start, batch.select(names).rename_columns(used)
                start += batch.num_rows

    def _broken_rule(self, values: dict[str, Any]) -> tuple[str, str]:
        lengths = {n: len(values.pop(n)) for n in self.log_format.sequences}
        row = {name: value or "" for name, value in values.items()}
        for name, value in row.items():
            rule = broken_rule_of_value(name, value, self.log_format)
            if rule:
                return rule, value
        return broken_rule_of_row(row, lengths, self.log_format)

    def _check_columns(self, table) -> None:
        for name in self.names_in(table):
            if table.columns.count(name) != 1:
                raise ValueError(
                    f"{table}: must have the column '{name}' once. "
                    f"Received: columns {table.columns}"
                )
            first = self.holders[0]
            types = [t.types.get(name) for t in (first, table)]
            if None in types:
                continue
            # int32 beside int64 or, for missing values, double does no harm.
            kinds = {kind_of(column_type) for column_type in types} - {None}
            if len(kinds) > 1:
                raise ValueError(
                    f"{table}: the column '{name}' must have the same kind of "
                    f"type as in {first}, {types[0]}. Received: {types[1]}"
                )

    def names_in(self, table) -> list[str]:
        """The names that a table has for the columns that are read."""
        if not self.log_format.is_labeled or self.log_format.labels:
            return list(self.log_format.used)
        label, *features = self.log_format.used
        if label not in table.columns:
            other_columns = set(table.columns) - set(features)
            label = _COMMON_LABEL if _COMMON_LABEL in other_columns else label
        return [label, *features]

    def _note_kinds(self, types: dict[str, pa.DataType]) -> None:
        for name in self.log_format.token_columns:
            kind = kind_of(types[name]) if name in types else None
            if kind is not None:
                self.kinds[name] = kind

    def _values(
        self, column: Any, name: str, table: Any, first_row: int
    ) -> pa.ChunkedArray | pa.ListArray:
        """The text of a column, or its lists of texts."""
        list_column = self.log_format.sequences.get(name)
        if list_column is None:
            return self._text(column, name, table, first_row)
        missing = self.log_format.missing_in(name)
        separator = list_column.separator
        try:
            lists = as_lists(column, separator, missing, "integral")
        except InexactFloat as error:
            raise _inexact(error, name, table, first_row) from None
        if lists is None:
            raise ValueError(
                f"{table}: the column '{name}' must hold "
                f"{KINDS.format(separator=separator)}. Received: {column.type}"
            )
        return lists

    def _text(
        self, column: Any, name: str, table: Any, first_row: int
    ) -> pa.ChunkedArray:
        log_format = self.log_format
        if name == log_format.time and name not in log_format.categorical:
            text = times.as_text(column)
            if text is None:
                raise ValueError(
                    f"{table}: the column '{name}' must hold {times.RULE}. "
                    f"Received: {column.type}"
                )
            return text
        is_dense = name in log_format.dense
        is_number = is_dense or name in log_format.label_names
        if is_number and pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        fractions = name == log_format.weight or (
            is_dense and log_format.dense_type == "float"
        )
        try:
            text = as_text(column, "any" if fractions else "integral")
        except InexactFloat as error:
            hint = (
                ' A format with dense_type="float" takes this number.'
                if is_dense
                else ""
            )
            raise _inexact(error, name, table, first_row, hint) from None
        if text is None:
            kinds = "text, integers or integral floats"
            if fractions:
                kinds = "text or numbers"
            raise ValueError(
                f"{table}: the column '{name}' must hold {kinds}: "
                f"{remedy_of(column.type)}. Received: {column.type}"
            )
        return text


def _inexact(
    error: InexactFloat,
    name: str,
    table: Any,
    first_row: int,
    hint: str = "",
) -> ValueError:
    return ValueError(
        f"{table}, row {first_row + error.row}: the column '{name}' must hold "
        f"{error.rule}.{hint} Received: {error.received}"
    )
