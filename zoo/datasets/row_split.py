"""Picks the rows of a split while a log is read."""

from collections import Counter
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from zoo.raw.source import Source
from zoo.raw.splits import SplitScheme


@dataclass(frozen=True)
class RowSplit:
    """The split of each row of `raw`, as SQL of `zoo.raw.splits`.

    `zoo.encoding.prepare` runs the same SQL, so that both split alike.

    Attributes:
        origin: string. Expression over `raw` of `zoo.encoding.sql`.
        split: string. Expression over rows with their number and origin.
    """

    origin: str
    split: str

    @classmethod
    def of(cls, scheme: SplitScheme, source: Source) -> "RowSplit":
        """Makes the SQL of a scheme; reads the log first if the scheme does.

        Raises:
            ValueError: if the log has too few days for a split by day.
        """
        origin = scheme.origin()
        rows: Counter[str] = Counter()
        if scheme.reads_ahead:
            with duckdb.connect() as connection:
                for raw, _ in source.tables():
                    connection.register("raw", raw)
                    query = (
                        "select origin, count(*) from "
                        f"(select {origin} as origin from raw) group by origin"
                    )
                    rows.update(dict(connection.sql(query).fetchall()))
        return cls(origin, scheme.split(rows))

    def rows(self, raw: pa.Table, split: str) -> pa.Table:
        """Returns the rows of a table that belong to a split."""
        query = (
            f"select {self.split} = '{split}' as chosen from "
            f"(select row_id, {self.origin} as origin from raw) order by row_id"
        )
        # Closed after the query: streams may be left half read.
        with duckdb.connect() as connection:
            connection.register("raw", raw)
            chosen = connection.sql(query).fetchnumpy()["chosen"]
        return raw.filter(pa.array(chosen))
