"""How DuckDB runs the SQL of `zoo.encoding.sql` and gives Arrow."""

import duckdb
import pyarrow as pa


def define_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Defines what `zoo.encoding.sql` uses and SQL does not have."""
    connection.execute(
        "create or replace macro hex_to_integer(digits) as "
        "cast('0x' || digits as bigint)"
    )


def read_batches(
    connection: duckdb.DuckDBPyConnection, query: str, batch_size: int
) -> pa.RecordBatchReader:
    """Runs a query whose result comes in Arrow batches of bounded size."""
    relation = connection.sql(query)
    # DuckDB renamed it; the old name warns in the new versions.
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(batch_size)
    return relation.fetch_arrow_reader(batch_size)
