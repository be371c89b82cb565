"""Runs the SQL of `zoo.encoding.sql` in DuckDB and returns Arrow."""

import duckdb
import pyarrow as pa


def define_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Defines the functions that `zoo.encoding.sql` needs and SQL lacks."""
    connection.execute(
        "create or replace macro hex_to_integer(digits) as "
        "cast('0x' || digits as bigint)"
    )
    connection.execute(
        "create or replace macro last_items(items, num) as "
        "case when len(items) > num "
        "then list_slice(items, len(items) - num + 1, len(items)) "
        "else coalesce(items, []) end"
    )


def read_batches(
    connection: duckdb.DuckDBPyConnection, query: str, batch_size: int
) -> pa.RecordBatchReader:
    """Runs a query; returns its result in Arrow batches of bounded size."""
    relation = connection.sql(query)
    # DuckDB renamed this method; new versions warn about the old name.
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(batch_size)
    return relation.fetch_arrow_reader(batch_size)
