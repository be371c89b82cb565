"""Runs the encoding with Spark, on a cluster or on the cores of this machine.

The extra `spark` and Java 17 or newer are required. Executors need PySpark,
pandas and Arrow, but neither Keras nor this package. The log and the output
must lie on a file system that the driver and all executors share.
"""

# ruff: noqa: E402 - PySpark is imported behind the check for it.
from zoo.encoding.spark import check_spark

check_spark()

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import DataFrame
from pyspark.sql import functions
from pyspark.sql.types import StructType

from zoo.encoding import list_sql
from zoo.encoding import rules_sql
from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.row_files import ROWS_PER_BATCH
from zoo.encoding.row_files import RowLayout
from zoo.encoding.row_files import summary_of
from zoo.encoding.spark.parts import Layout
from zoo.encoding.spark.parts import distributed
from zoo.encoding.spark.parts import tally_columns
from zoo.encoding.spark.rows import SparkRows
from zoo.encoding.spark.rows import steady_blocks
from zoo.encoding.spark.session import open_session
from zoo.encoding.spark.session import pattern_of
from zoo.encoding.spark.session import stop_java
from zoo.encoding.spark.session import url_of
from zoo.encoding.spark.sql import checked
from zoo.encoding.spark.sql import translated
from zoo.files.unfinished import undone_if_ended
from zoo.raw.log_format import LogFormat
from zoo.raw.source import Source
from zoo.runtime.progress import Stages

ROWS_PER_PART = 1 << 20
"""Rows of the log that are written to the files of one number."""

# Training keeps all files open, and a process may open only 1024.
_MOST_PARTS = 256
_VOCABULARY = "token string, id int, count bigint"


class SparkEngine:
    """An `Engine` of `zoo.encoding.engine` on Spark.

    Tables are Parquet files in a folder. Columns are read one by one, nothing
    is lost with an executor, and the driver can read them as well.

    Args:
        work: path of an existing folder, shared by driver and executors.
        master: string. The master of Spark; `None` takes the active session,
            the master of `spark-submit`, or this machine.
    """

    def __init__(self, work: Path, master: str | None):
        self._work = work.absolute()
        self._session, self._is_own = open_session(master)
        self._undone = contextlib.ExitStack()

    def __enter__(self) -> "SparkEngine":
        if self._is_own:
            # Java would write on while the work is removed.
            self._undone.enter_context(
                undone_if_ended(lambda: stop_java(self._session))
            )
        return self

    def __exit__(self, *exception: Any) -> None:
        with self._undone:
            if self._is_own:
                self._session.stop()

    def stage(
        self, source: Source, log_format: LogFormat, origin: str, stages: Stages
    ) -> None:
        lists = list_sql.list_columns(log_format, source.joins_lists)
        query = checked(
            sql.staged(log_format, origin, lists),
            rules_sql.first_bad_row(log_format, source.joins_lists),
        )
        stages.start(f"Reading {Path(source.name).name}", 2)
        try:
            with steady_blocks(self._session):
                rows = SparkRows(self._session, source, self._work)
                if rows.num_rows == 0:
                    raise ValueError(
                        "`source` must hold at least one row. "
                        f"Received: source={source.name}"
                    )
                stages.advance()
                rows.raw().createOrReplaceTempView("raw")
                self._write("staged", self._session.sql(query))
        except Exception as error:
            if "FAILED_READ_FILE" in str(error):
                # Our own reader reports what is wrong with the file.
                for _ in source.tables():
                    pass
            raise
        num_rows, bad_row = self.fetch(
            "select count(*), min(case when is_bad then row_id end) from staged"
        )[0]
        if num_rows != rows.num_rows:
            raise _not_shared(self._work / "staged")
        rows.explain_first(bad_row)
        # Columns that are not selected are not read.
        self.create_view("staged_lists", "select * from staged")
        stages.advance()

    def fetch(self, query: str) -> list[tuple]:
        rows = self._session.sql(translated(query)).collect()
        return [tuple(row) for row in rows]

    def create_view(self, name: str, query: str) -> None:
        frame = self._session.sql(translated(query))
        frame.createOrReplaceTempView(name)

    def create_table(self, name: str, query: str) -> None:
        frame = self._session.sql(translated(query))
        # `write_table` reads one file in the order of ids.
        self._write(name, frame.repartition(1).sortWithinPartitions("id"))

    def read_table(self, name: str, path: Path) -> None:
        # Executors may not see the folder of the encoder.
        vocabulary_file.copy(path, self._work / name / "part-0.parquet")
        self._open(name, _VOCABULARY)

    def write_table(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        next_id = sql.FIRST_ID
        with pa.parquet.ParquetWriter(path, vocabulary_file.SCHEMA) as writer:
            for part in sorted((self._work / name).glob("part-*")):
                with pa.parquet.ParquetFile(part) as file:
                    for batch in file.iter_batches(ROWS_PER_BATCH):
                        ids = batch.column("id").to_numpy()
                        expected = np.arange(next_id, next_id + len(ids))
                        if (ids != expected).any():
                            raise RuntimeError("Spark changed the order of ids")
                        next_id += len(ids)
                        writer.write_batch(batch.cast(vocabulary_file.SCHEMA))

    def write_splits(
        self,
        encoder: ClickEncoder,
        by_value: Collection[str],
        counts: dict[str, int],
        folder: Path,
        stages: Stages,
    ) -> dict[str, dict[str, Any]]:
        log_format = encoder.log_format
        weight = () if log_format.weight is None else ("weight",)
        num_rows = sum(counts.values())
        stages.start("Writing", num_rows)
        layout = Layout(
            folder=folder.absolute(),
            work=self._work,
            splits=tuple(counts),
            rows=RowLayout.of(encoder.schema),
            rows_per_part=max(ROWS_PER_PART, -(-num_rows // _MOST_PARTS)),
        )
        for split in counts:
            (folder / split).mkdir()
        query = sql.encoded(
            encoder.settings.dense_transform,
            encoder.dense_ranges,
            range(encoder.schema.num_fields),
            encoder.settings.num_buckets,
            ("split", *log_format.label_sql_names, *weight),
            by_value=[
                i
                for i, name in enumerate(log_format.categorical)
                if name in by_value
            ],
        )
        rows = self._session.sql(translated(query))
        for i, name in enumerate(log_format.sequences):
            lists = self._encoded_lists(encoder, i, name in by_value)
            rows = rows.join(lists, "row_id", "left")
        # Range partitioning would run the query twice, to sample its rows.
        number = functions.expr(
            f"cast(row_id div {layout.rows_per_part} as int)"
        )
        num_parts = -(-num_rows // layout.rows_per_part)
        rows = rows.repartitionById(num_parts, number)
        rows = rows.sortWithinPartitions("row_id")
        with distributed(layout) as write_parts:
            num_labels = len(log_format.label_names)
            tally = rows.mapInArrow(write_parts, tally_columns(num_labels))
            summaries = _summaries(tally, num_labels)
        if {n: s["rows"] for n, s in summaries.items()} != counts:
            raise RuntimeError(
                f"Spark lost or repeated rows: {summaries}, not {counts}"
            )
        stages.advance(num_rows)
        return {split: summaries[split] for split in counts}

    def _encoded_lists(
        self, encoder: ClickEncoder, number: int, by_value: bool
    ) -> DataFrame:
        """The ids of a list, of the rows in which it is not empty."""
        log_format = encoder.log_format
        name = log_format.vocabulary_of(list(log_format.sequences)[number])
        query = sql.encoded_events(
            number,
            log_format.vocabularies.index(name),
            encoder.settings.num_buckets,
            by_value,
        )
        events = self._session.sql(translated(query))
        in_order = functions.sort_array(
            functions.collect_list(functions.struct("position", "id"))
        )
        ids = functions.transform(in_order, lambda event: event["id"])
        return events.groupBy("row_id").agg(ids.alias(f"sequence_{number}"))

    def _write(self, name: str, frame: DataFrame) -> None:
        path = self._work / name
        frame.write.parquet(url_of(path))
        if not any(path.glob("part-*")):
            raise _not_shared(path)
        self._open(name, frame.schema)

    def _open(self, name: str, schema: StructType | str) -> None:
        reader = self._session.read.schema(schema)
        table = reader.parquet(pattern_of(self._work / name))
        table.createOrReplaceTempView(name)


def _summaries(tally: DataFrame, num_labels: int) -> dict[str, dict[str, Any]]:
    """The summary of each split; runs the query of the tally."""
    counted = ["rows"]
    for i in range(num_labels):
        counted += [f"known_{i}", f"clicks_{i}"]
    words = tally.groupBy("split", "word").agg(
        *(functions.sum(name).alias(name) for name in counted),
        # Merged before they are counted: files share ids.
        functions.bit_or("bits").alias("bits"),
    )
    splits = words.groupBy("split").agg(
        functions.sum(functions.bit_count("bits")),
        *(functions.sum(name) for name in counted),
    )
    return {
        split: summary_of(rows, labels[::2], labels[1::2], distinct_ids)
        for split, distinct_ids, rows, *labels in splits.collect()
    }


def _not_shared(path: Path) -> ValueError:
    return ValueError(
        "`output` must lie on a file system that the driver and all executors "
        f"of Spark share. Received: {path}, which lacks what executors wrote"
    )
