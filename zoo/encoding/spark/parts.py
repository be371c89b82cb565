"""Writes encoded rows on the executors of Spark.

Executors get this code from the driver and need not have Keras or this
package (see `distributed`), so nothing else of it may be imported here.
"""

import contextlib
import os
import sys
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pyspark import cloudpickle

from zoo.encoding.row_files import PartWriter
from zoo.encoding.row_files import RowLayout
from zoo.encoding.row_files import SplitStatistics
from zoo.encoding.row_files import labels_of
from zoo.encoding.row_files import matrices
from zoo.encoding.row_files import part_name
from zoo.encoding.row_files import weights_of
from zoo.encoding.row_files import without_nulls
from zoo.encoding.spark.session import without_pandas_warning


def tally_columns(num_labels: int) -> str:
    """The columns that `write_parts` yields for every file.

    `bits` marks the ids that were seen, of the 64 from `64 * word` on. For
    that the ids of all vocabularies are numbered one after the other. The
    counts of rows, labels and clicks stand in the first row of a file alone,
    so that sums are right.
    """
    labels = "".join(
        f"known_{i} bigint, clicks_{i} bigint, " for i in range(num_labels)
    )
    return f"split string, rows bigint, {labels}word bigint, bits bigint"


@dataclass(frozen=True)
class Layout:
    """The layout of the files that executors write.

    Attributes:
        folder: path with a folder for each split.
        work: path of a folder on the same disk for unfinished files.
        splits: tuple of strings.
        rows: `RowLayout`, what a row holds.
        rows_per_part: integer. Rows of the log that go to the files of one
            number.
    """

    folder: Path
    work: Path
    splits: tuple[str, ...]
    rows: RowLayout
    rows_per_part: int


Batches = Iterator[pa.RecordBatch]


@contextlib.contextmanager
def distributed(layout: Layout) -> Iterator[Callable[[Batches], Batches]]:
    """Yields `write_parts` in a form that Spark can send to executors."""
    package = sys.modules["zoo.encoding"]
    cloudpickle.register_pickle_by_value(package)
    try:
        with without_pandas_warning():
            yield lambda batches: write_parts(batches, layout)
    finally:
        cloudpickle.unregister_pickle_by_value(package)


def write_parts(batches: Batches, layout: Layout) -> Batches:
    """Writes a range of rows to one file a split, and yields their tally.

    Row numbers are checked: nothing is written unless the range is complete
    and in order.

    Args:
        batches: the columns `row_id`, `split`, `dense_...`, `field_...`,
            `sequence_...`, NULL for no event, labels and weight, in the order
            of `row_id`.
        layout: `Layout`.
    """
    if not layout.work.is_dir():
        raise FileNotFoundError(
            "`output` must lie on a file system that the driver and all "
            f"executors of Spark share. Received: no folder {layout.work}"
        )
    writers = {split: _open(layout) for split in layout.splits}
    first = end = -1
    for batch in batches:
        row_ids = batch.column("row_id").to_numpy()
        if first < 0 and len(row_ids):
            first = end = int(row_ids[0])
        if (row_ids != np.arange(end, end + len(row_ids))).any():
            raise RuntimeError(f"Spark lost, repeated or moved row {end}")
        end += len(row_ids)
        for split, (_, writer) in writers.items():
            _write(writer, batch, split, layout)
    if first >= 0 and first % layout.rows_per_part:
        raise RuntimeError(f"Spark lost or moved the row before {first}")
    for split, (path, writer) in writers.items():
        writer.close()
        if writer.statistics.rows:
            name = part_name(first // layout.rows_per_part)
            os.replace(path, layout.folder / split / name)
            yield _tally(split, writer.statistics)


def _open(layout: Layout) -> tuple[Path, PartWriter]:
    # Spark may run two attempts at a time, so each has its own file.
    path = layout.work / f"{uuid.uuid4().hex}.arrow"
    return path, PartWriter(path, layout.rows)


def _write(
    writer: PartWriter, batch: pa.RecordBatch, split: str, layout: Layout
) -> None:
    rows = batch.filter(pa.compute.equal(batch.column("split"), split))
    fields = range(len(layout.rows.vocabulary_sizes))
    inputs: dict = matrices(rows, layout.rows.num_dense, fields)
    for i in range(len(layout.rows.max_lengths)):
        inputs[f"sequence_{i}"] = without_nulls(rows.column(f"sequence_{i}"))
    writer.write(
        labels_of(rows, layout.rows.num_labels),
        inputs,
        weights_of(rows) if layout.rows.has_weight else None,
    )


def _tally(split: str, statistics: SplitStatistics) -> pa.RecordBatch:
    seen = np.concatenate(statistics.seen)
    padded = np.pad(seen, (0, -len(seen) % 64))
    bits: np.ndarray = np.packbits(padded).view("int64")
    words = np.flatnonzero(bits)
    is_first = np.arange(len(words)) == 0
    labels = {}
    for i, (known, clicks) in enumerate(
        zip(statistics.known, statistics.clicks, strict=True)
    ):
        labels[f"known_{i}"] = pa.array(is_first * known)
        labels[f"clicks_{i}"] = pa.array(is_first * clicks)
    return pa.record_batch(
        {
            "split": pa.repeat(split, len(words)),
            "rows": pa.array(is_first * statistics.rows),
            **labels,
            "word": pa.array(words),
            "bits": pa.array(bits[words]),
        }
    )
