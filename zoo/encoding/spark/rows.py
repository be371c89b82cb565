"""Numbers the rows of a raw log that Spark reads in parallel."""

import bisect
import contextlib
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import DataFrame
from pyspark.sql import SparkSession
from pyspark.sql import functions

from zoo.encoding.spark.session import pattern_of
from zoo.encoding.spark.tables import SparkTables
from zoo.encoding.spark.text import SparkText
from zoo.raw.source import Source
from zoo.raw.table_log import TableLog
from zoo.raw.text_log import TextLog

_BLOCK_SIZE = "spark.sql.files.maxPartitionBytes"
_OPEN_COST = "spark.sql.files.openCostInBytes"
_MOST_PARTITIONS = "spark.sql.files.maxPartitionNum"


class SparkRows:
    """The rows of a raw log, numbered from 0 in the order of its files.

    Spark reads a log in blocks of its files, and gives each row its place in
    the block. One quick pass counts the rows of every block. A row's number is
    then the number of rows before its block plus its place.

    Args:
        session: session of Spark, in `steady_blocks` from here until `raw`
            has been read.
        source: `TextLog`, or `TableLog` of Parquet files.
        work: path of a folder that driver and executors share.

    Attributes:
        num_rows: integer.

    Raises:
        ValueError: for a source that Spark can't read.
    """

    def __init__(self, session: SparkSession, source: Source, work: Path):
        self._reader = _reader(source)
        num_files = len(self._reader.files)
        frames = [
            self._reader.rows(session, number).withColumn(
                "file", functions.lit(number)
            )
            for number in range(num_files)
        ]
        self._rows = functools.reduce(DataFrame.unionByName, frames)
        blocks = self._count()
        path = work / "blocks.parquet"
        pa.parquet.write_table(self._numbered(blocks), path)
        self._blocks = session.read.parquet(pattern_of(path))
        header = int(self._reader.header)
        rows = [-header] * num_files
        for file, _, lines in blocks:
            rows[file] += lines
        self._starts = [0, *itertools.accumulate(max(n, 0) for n in rows)]
        self.num_rows = self._starts[-1]

    def raw(self) -> DataFrame:
        """`raw` of `zoo.encoding.sql`."""
        rows = self._rows
        if self._reader.header:
            is_header = (rows["block"] == 0) & (rows["place"] == 0)
            rows = rows.where(~is_header)
        rows = rows.join(functions.broadcast(self._blocks), ["file", "block"])
        row_id = functions.col("first_row") + functions.col("place")
        return rows.withColumn("row_id", row_id).drop(
            "file", "block", "place", "first_row"
        )

    def explain_first(self, row_id: int | None) -> None:
        """Raises for the first bad row, if there is one.

        Args:
            row_id: integer. Number of the first bad row, or `None`.
        """
        if row_id is not None:
            number = bisect.bisect_right(self._starts, row_id) - 1
            self._reader.explain(number, row_id - self._starts[number])

    def _count(self) -> list[tuple[int, int, int]]:
        """File, start and number of lines of each block, in order."""
        counted = self._rows.groupBy("file", "block").agg(
            functions.count("*").alias("lines"),
            functions.max("place").alias("last"),
        )
        blocks = sorted(tuple(row) for row in counted.collect())
        if any(lines != last + 1 for *_, lines, last in blocks):
            raise RuntimeError("Spark read two blocks in one partition")
        return [(file, block, lines) for file, block, lines, _ in blocks]

    def _numbered(self, blocks: list[tuple[int, int, int]]) -> pa.Table:
        """The number of the first row of each block, and its origin."""
        rows, next_row, previous = [], 0, None
        for file, block, lines in blocks:
            if self._reader.header and file != previous:
                # The header takes a place but no number.
                next_row -= 1
            origin = self._reader.files[file].origin
            rows.append((file, block, next_row, origin))
            next_row += lines
            previous = file
        names = ("file", "block", "first_row", "origin")
        types = (pa.int32(), pa.int64(), pa.int64(), pa.string())
        columns = [
            pa.array([row[i] for row in rows], kind)
            for i, kind in enumerate(types)
        ]
        return pa.table(columns, names)


@contextlib.contextmanager
def steady_blocks(session: SparkSession) -> Iterator[None]:
    """Makes Spark read the same blocks each time, one block in a partition.

    The cost of opening a file is set to that of reading a whole block, which
    leaves no room for a second block in a partition. The size of blocks then
    depends on nothing else.
    """
    before = session.conf.get(_OPEN_COST)
    session.conf.set(_OPEN_COST, session.conf.get(_BLOCK_SIZE))
    session.conf.set(_MOST_PARTITIONS, str(2**31 - 1))
    try:
        yield
    finally:
        session.conf.set(_OPEN_COST, before)
        session.conf.unset(_MOST_PARTITIONS)


def _reader(source: Source) -> SparkText | SparkTables:
    if isinstance(source, TextLog):
        return SparkText(source)
    if isinstance(source, TableLog):
        return SparkTables(source)
    raise ValueError(
        "`engine='spark'` reads text and Parquet files; use engine='duckdb'. "
        f"Received: a {type(source).__name__}"
    )
