"""Writes encoded rows as Arrow streams, which training memory-maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROWS_PER_BATCH = 1 << 16
"""Rows in one record batch of a file."""


def part_name(number: int) -> str:
    """The name of a file; names sort in the order of the rows."""
    return f"part-{number:05d}.arrow"


@dataclass(frozen=True)
class RowLayout:
    """What an encoded row holds, without Keras, for Spark's machines.

    Attributes:
        num_dense: integer. Number of dense columns.
        vocabulary_sizes: tuple of integers, one per field.
        max_lengths: tuple of integers, one per sequence.
        num_labels: integer.
        has_weight: boolean. Whether rows have a sample weight.
    """

    num_dense: int
    vocabulary_sizes: tuple[int, ...]
    max_lengths: tuple[int, ...] = ()
    num_labels: int = 1
    has_weight: bool = False

    @classmethod
    def of(cls, schema: Any) -> "RowLayout":
        """Returns the layout of the rows of a `FeatureSchema`."""
        return cls(
            schema.num_dense,
            tuple(schema.vocabulary_sizes),
            tuple(s.max_length for s in schema.sequences.values()),
            len(schema.labels),
            schema.weight is not None,
        )

    def columns(self) -> pa.Schema:
        """The columns of an encoded file.

        - `label: int8`, or with several `labels: fixed_size_list<int8>`, -1
          where a row lacks one;
        - `weight: float`, if there is one;
        - `dense: fixed_size_list<float>`, `ids: fixed_size_list<int32>`;
        - `sequence_0: list<int32>`, ..., the ids of each sequence, without
          padding, the most recent last and no more than its `max_length`.

        A log without dense columns has no column `dense`: some readers fail on
        lists without items.
        """
        columns = [("label", pa.int8())]
        if self.num_labels > 1:
            columns = [("labels", pa.list_(pa.int8(), self.num_labels))]
        if self.has_weight:
            columns.append(("weight", pa.float32()))
        if self.num_dense:
            columns.append(("dense", pa.list_(pa.float32(), self.num_dense)))
        num_fields = len(self.vocabulary_sizes)
        columns.append(("ids", pa.list_(pa.int32(), num_fields)))
        for i in range(len(self.max_lengths)):
            columns.append((f"sequence_{i}", pa.list_(pa.int32())))
        return pa.schema(columns)


class SplitStatistics:
    """Counts rows, labels and ids of a split while it is written.

    Args:
        vocabulary_sizes: integers, one per field.
    """

    def __init__(self, vocabulary_sizes: Sequence[int]):
        self.rows = 0
        self.clicks = 0
        self.seen: list[np.ndarray] = [
            np.zeros(size, bool) for size in vocabulary_sizes
        ]

    def add(self, label: np.ndarray, ids: np.ndarray) -> None:
        for field, seen in enumerate(self.seen):
            seen[ids[:, field]] = True
        self.rows += len(label)
        self.clicks += int(label.sum())

    def summary(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "click_rate": self.clicks / self.rows if self.rows else 0.0,
            "distinct_ids": int(sum(seen.sum() for seen in self.seen)),
        }


class PartWriter:
    """Writes rows of a split to one file.

    The file is an uncompressed Arrow stream, so that it can be memory-mapped
    and `datasets.Dataset.from_file` reads it. Its record batches have
    `ROWS_PER_BATCH` rows, except for the last one.

    Only NumPy and Arrow are needed, so that Spark can run it on machines
    without Keras.

    Args:
        path: path of the file, in an existing folder.
        layout: `RowLayout`.
    """

    def __init__(self, path: Path, layout: RowLayout):
        self.statistics = SplitStatistics(layout.vocabulary_sizes)
        self._schema = layout.columns()
        self._writer = pa.ipc.new_stream(path, self._schema)
        self._waiting: list[dict[str, np.ndarray]] = []
        self._num_waiting = 0

    def write(self, label: np.ndarray, inputs: dict[str, np.ndarray]) -> None:
        """Adds rows: labels and `{"dense": ..., "ids": ...}`."""
        self.statistics.add(label, inputs["ids"])
        self._waiting.append({"label": label, **inputs})
        self._num_waiting += len(label)
        if self._num_waiting >= ROWS_PER_BATCH:
            self._flush(ROWS_PER_BATCH)

    def close(self) -> dict[str, Any]:
        """Writes the remaining rows; returns the summary of the split."""
        if self._num_waiting:
            self._flush(1)
        self._writer.close()
        return self.statistics.summary()

    def _flush(self, smallest: int) -> None:
        columns = {
            name: np.concatenate([rows[name] for rows in self._waiting])
            for name in self._waiting[0]
        }
        start = 0
        while self._num_waiting >= smallest:
            count = min(ROWS_PER_BATCH, self._num_waiting)
            rows = slice(start, start + count)
            self._writer.write_batch(
                self._batch({n: x[rows] for n, x in columns.items()})
            )
            start += count
            self._num_waiting -= count
        self._waiting = []
        if self._num_waiting:
            self._waiting = [{n: x[start:] for n, x in columns.items()}]

    def _batch(self, columns: dict[str, np.ndarray]) -> pa.RecordBatch:
        arrays = [pa.array(columns["label"].astype("int8", copy=False))]
        for name in self._schema.names[1:]:
            values = pa.array(columns[name].reshape(-1))
            kind = self._schema.field(name).type
            arrays.append(pa.FixedSizeListArray.from_arrays(values, type=kind))
        return pa.record_batch(arrays, schema=self._schema)


def matrices(
    rows: pa.Table | pa.RecordBatch, num_dense: int, fields: Sequence[int]
) -> dict[str, np.ndarray]:
    """Puts the columns `dense_...` and `field_...` side by side."""
    dense = np.empty((rows.num_rows, num_dense), "float32")
    for i in range(num_dense):
        dense[:, i] = rows.column(f"dense_{i}").to_numpy()
    ids = np.empty((rows.num_rows, len(fields)), "int32")
    for i, field in enumerate(fields):
        ids[:, i] = rows.column(f"field_{field}").to_numpy()
    return {"dense": dense, "ids": ids}
