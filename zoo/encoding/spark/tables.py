"""Reads raw logs in Parquet files with Spark."""

import re

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import DataFrame
from pyspark.sql import SparkSession
from pyspark.sql import functions

from zoo.encoding.spark.session import pattern_of
from zoo.encoding.spark.session import without_pandas_warning
from zoo.encoding.spark.text import place_columns
from zoo.raw.columns import has_one_text
from zoo.raw.columns import is_list
from zoo.raw.columns import is_text
from zoo.raw.columns import largest_exact
from zoo.raw.raw_file import RawFile
from zoo.raw.table_log import TableLog


class SparkTables:
    """Rows of a `TableLog` of Parquet files, read by Spark.

    Attributes:
        files: list of `RawFile`, in order.
        header: boolean. Whether the first line of a file is a header.

    Raises:
        ValueError: for data sets in memory, or files that Spark skips.
    """

    header = False

    def __init__(self, source: TableLog):
        self._source = source
        self._format = source.log_format
        self._tables = source.holders
        if not all(hasattr(table, "file") for table in self._tables):
            raise ValueError(
                "`engine='spark'` reads files; use engine='duckdb' for a data "
                f"set, or write it to Parquet. Received: a {source.name}"
            )
        self.files: list[RawFile] = [table.file for table in self._tables]
        for raw_file in self.files:
            if raw_file.path.name.startswith(("_", ".")):
                raise ValueError(
                    "`engine='spark'` skips files whose names begin with _ or "
                    f".: rename the file. Received: {raw_file}"
                )
        for table in self._tables:
            for name in source.names_in(table):
                column_type = table.types[name]
                if is_list(column_type):
                    column_type = column_type.value_type
                if pa.types.is_float16(column_type):
                    raise ValueError(
                        f"{table}: `engine='spark'` can't read float16; use "
                        f"engine='duckdb'. Received: column '{name}'"
                    )

    def rows(self, session: SparkSession, number: int) -> DataFrame:
        """Reads a file, as text in the columns that the SQL knows.

        A row with a value that has no text gets no label, which
        `zoo.encoding.rules_sql` reports.

        Args:
            session: session of Spark.
            number: integer. Number of the file.
        """
        table = self._tables[number]
        used = self._format.used
        columns, is_good = {}, functions.lit(True)
        for name, role, column_name in zip(
            used,
            self._format.sql_names(used),
            self._source.names_in(table),
            strict=True,
        ):
            column = functions.col("`" + column_name.replace("`", "``") + "`")
            text, has_text = self._values(
                column, table.types[column_name], name
            )
            columns[role] = text
            is_good = is_good & has_text
        for label in self._format.label_sql_names:
            if label in columns:
                columns[label] = functions.when(is_good, columns[label])
        rows = session.read.parquet(pattern_of(self.files[number].path))
        return rows.select(
            *place_columns(),
            *(text.alias(role) for role, text in columns.items()),
        )

    def explain(self, number: int, row: int) -> None:
        """Raises for the first bad row of a file, as DuckDB would."""
        source = TableLog([self.files[number]], self._format)
        for _, num_rows in source.tables():
            if num_rows > row:
                break
        source.raise_first_bad_row(row)

    def _values(
        self, column: Column, column_type: pa.DataType, name: str
    ) -> tuple[Column, Column]:
        """The text of a column or its lists, and whether there is one."""
        list_column = self._format.sequences.get(name)
        if list_column is None:
            return self._text(column, column_type, name)
        if pa.types.is_dictionary(column_type):
            column_type = column_type.value_type
        if is_text(column_type):
            is_missing = column.isin("", *self._format.missing_in(name))
            pattern = re.escape(list_column.separator)
            items = functions.split(column.cast("string"), pattern, -1)
            return functions.when(~is_missing, items), functions.lit(True)
        if not is_list(column_type):
            empty = functions.lit(None).cast("array<string>")
            return empty, functions.lit(False)
        item_type = column_type.value_type
        texts = functions.transform(
            column, lambda item: self._text(item, item_type, name)[0]
        )
        are_texts = functions.forall(
            column, lambda item: self._text(item, item_type, name)[1]
        )
        return texts, functions.coalesce(are_texts, functions.lit(True))

    def _text(
        self, column: Column, column_type: pa.DataType, name: str
    ) -> tuple[Column, Column]:
        """The text of a column as in `zoo.raw.columns.as_text`.

        Returns:
            The text, and whether there is one.
        """
        if pa.types.is_dictionary(column_type):
            column_type = column_type.value_type
        always = functions.lit(True)
        is_time = name == self._format.time
        if is_time and name not in self._format.categorical:
            return _time_text(column, column_type), always
        if pa.types.is_boolean(column_type) and (
            name in self._format.label_names or name in self._format.dense
        ):
            column = column.cast("int")
        if has_one_text(column_type):
            return column.cast("string"), always
        fractions = name == self._format.weight or (
            name in self._format.dense and self._format.dense_type == "float"
        )
        if pa.types.is_decimal(column_type):
            if fractions:
                return column.cast("string"), always
            whole = column.cast(f"decimal({column_type.precision}, 0)")
            is_whole = functions.coalesce(whole == column, always)
            return whole.cast("string"), is_whole
        if not pa.types.is_floating(column_type):
            return functions.lit(None).cast("string"), functions.lit(False)
        value = functions.when(~functions.isnan(column), column)
        if fractions:
            if pa.types.is_float64(column_type):
                return value.cast("string"), always
            return _shortest(value), always
        is_exact = (functions.rint(value) == value) & (
            functions.abs(value) <= largest_exact(column_type)
        )
        text = value.cast("bigint").cast("string")
        return text, functions.coalesce(is_exact, always)


def _time_text(column: Column, column_type: pa.DataType) -> Column:
    """The text of a time as in `zoo.raw.times.as_text`."""
    if pa.types.is_timestamp(column_type) and column_type.tz is not None:
        # Its text would be in the time zone of the session.
        return functions.unix_seconds(column).cast("string")
    if pa.types.is_floating(column_type):
        return functions.floor(column).cast("bigint").cast("string")
    return column.cast("string")


def _shortest(value: Column) -> Column:
    """The text of a float32, by Arrow itself.

    Java writes other digits for some, which differ when read as a double.
    """
    with without_pandas_warning():
        # A lambda is pickled by value: executors lack this package.
        shortest = functions.arrow_udf(
            lambda column: column.cast(pa.string()), "string"
        )
        return shortest(value)
