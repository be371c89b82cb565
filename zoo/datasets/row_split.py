"""Which rows of a log belong to a split, asked while they are read."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from zoo.raw.source import Source
from zoo.raw.splits import SplitScheme


@dataclass(frozen=True)
class RowSplit:
    """The split of each row of `raw`, as SQL of `zoo.raw.splits`.

    It is the SQL that `zoo.encoding.prepare` runs, so both split alike.

    Attributes:
        part: string. Expression over `raw` of `zoo.encoding.sql`.
        split: string. Expression over rows with their number and part.
    """

    part: str
    split: str

    @classmethod
    def of(cls, scheme: SplitScheme, source: Source) -> "RowSplit":
        """Makes the SQL of a scheme; reads the log once if it has to.

        Raises:
            ValueError: if the log has too few days for a split by day.
        """
        part = scheme.part()
        num_rows, parts = 0, set()
        if scheme.reads_ahead:
            with duckdb.connect() as connection:
                for raw, _ in source.tables():
                    num_rows += raw.num_rows
                    connection.register("raw", raw)
                    query = f"select distinct {part} as part from raw"
                    parts |= {p for (p,) in connection.sql(query).fetchall()}
        return cls(part, scheme.split(num_rows, sorted(parts)))

    def rows(self, raw: pa.Table, split: str) -> pa.Table:
        """Returns those rows of a piece of the log that a split has."""
        query = (
            f"select {self.split} = '{split}' as chosen from "
            f"(select row_id, {self.part} as part from raw) order by row_id"
        )
        # Only as long as the query: streams may be left half read.
        with duckdb.connect() as connection:
            connection.register("raw", raw)
            chosen = connection.sql(query).fetchnumpy()["chosen"]
        return raw.filter(pa.array(chosen))
