"""Writes encoded rows as Arrow streams, which training memory-maps."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

ROWS_PER_BATCH = 1 << 16
"""Rows in one record batch of a file."""

MISSING_LABEL = -1

Column = Any
"""A NumPy array, or an Arrow array of lists."""


def part_name(number: int) -> str:
    """The name of a file; names sort in the order of the rows."""
    return f"part-{number:05d}.arrow"


@dataclass(frozen=True)
class RowLayout:
    """The columns of an encoded row; without Keras, which executors lack.

    Attributes:
        num_dense: integer. Number of dense columns.
        vocabulary_sizes: tuple of integers, one per field.
        max_lengths: tuple of integers, one per sequence.
        num_labels: integer.
        has_weight: boolean. Whether rows have a sample weight.
        own_sizes: tuple of integers, the vocabulary sizes of the sequences
            that share no field's.
        vocabularies: tuple of integers, the number of each sequence's
            vocabulary: those of the fields, then those of `own_sizes`.
    """

    num_dense: int
    vocabulary_sizes: tuple[int, ...]
    max_lengths: tuple[int, ...] = ()
    num_labels: int = 1
    has_weight: bool = False
    own_sizes: tuple[int, ...] = ()
    vocabularies: tuple[int, ...] = ()

    @classmethod
    def of(cls, schema: Any) -> "RowLayout":
        """Returns the layout of the rows of a `FeatureSchema`."""
        names, sizes = list(schema.vocabularies), schema.vocabularies.values()
        return cls(
            schema.num_dense,
            tuple(schema.vocabulary_sizes),
            tuple(s.max_length for s in schema.sequences.values()),
            len(schema.labels),
            schema.weight is not None,
            tuple(sizes)[schema.num_fields :],
            tuple(
                names.index(schema.vocabulary_of(name))
                for name in schema.sequences
            ),
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
        layout: `RowLayout` of the rows.

    Attributes:
        rows: integer, the number of rows.
        known: integers, the rows that have each label.
        clicks: integers, those of them that are clicks.
        seen: boolean arrays, the ids of each vocabulary that occur.
    """

    def __init__(self, layout: RowLayout):
        self.rows = 0
        self.known = [0] * layout.num_labels
        self.clicks = [0] * layout.num_labels
        self.seen: list[np.ndarray] = [
            np.zeros(size, bool)
            for size in (*layout.vocabulary_sizes, *layout.own_sizes)
        ]
        self._num_fields = len(layout.vocabulary_sizes)
        self._vocabularies = layout.vocabularies

    def add(self, label: np.ndarray, inputs: Mapping[str, Column]) -> None:
        for field in range(self._num_fields):
            self.seen[field][inputs["ids"][:, field]] = True
        for i, vocabulary in enumerate(self._vocabularies):
            ids = inputs[f"sequence_{i}"].flatten().to_numpy()
            self.seen[vocabulary][ids] = True
        self.rows += len(label)
        columns = [label] if label.ndim == 1 else label.T
        for i, column in enumerate(columns):
            self.known[i] += int((column >= 0).sum())
            self.clicks[i] += int((column == 1).sum())

    def summary(self) -> dict[str, Any]:
        distinct_ids = int(sum(seen.sum() for seen in self.seen))
        return summary_of(self.rows, self.known, self.clicks, distinct_ids)


def summary_of(
    rows: int, known: Sequence[int], clicks: Sequence[int], distinct_ids: int
) -> dict[str, Any]:
    """The summary of a split.

    Several labels have `click_rates`, each of the rows that have the label;
    `click_rate` is then that of the first.
    """
    rates = [
        clicked / present if present else 0.0
        for clicked, present in zip(clicks, known, strict=True)
    ]
    summary: dict[str, Any] = {
        "rows": rows,
        "click_rate": rates[0],
        "distinct_ids": distinct_ids,
    }
    if len(rates) > 1:
        summary["click_rates"] = rates
    return summary


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
        self.statistics = SplitStatistics(layout)
        self._schema = layout.columns()
        self._writer = pa.ipc.new_stream(path, self._schema)
        self._waiting: list[dict[str, Column]] = []
        self._num_waiting = 0

    def write(
        self,
        label: np.ndarray,
        inputs: Mapping[str, Column],
        weight: np.ndarray | None = None,
    ) -> None:
        """Adds rows.

        Args:
            label: `(rows,)` int8, or `(rows, labels)` where there are several.
            inputs: `{"dense": ..., "ids": ..., "sequence_0": ...}`, sequences
                as lists of Arrow.
            weight: `(rows,)` float32, if the rows have weights.
        """
        self.statistics.add(label, inputs)
        columns = {self._schema.names[0]: label, **inputs}
        if weight is not None:
            columns["weight"] = weight
        self._waiting.append(columns)
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
            name: _joined([rows[name] for rows in self._waiting])
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

    def _batch(self, columns: dict[str, Column]) -> pa.RecordBatch:
        arrays = []
        for field in self._schema:
            values = columns[field.name]
            if pa.types.is_fixed_size_list(field.type):
                kind = field.type.value_type.to_pandas_dtype()
                flat = pa.array(values.astype(kind, copy=False).reshape(-1))
                values = pa.FixedSizeListArray.from_arrays(
                    flat, type=field.type
                )
            elif isinstance(values, np.ndarray):
                values = pa.array(values, field.type)
            arrays.append(values)
        return pa.record_batch(arrays, schema=self._schema)


def _joined(pieces: list[Column]) -> Column:
    if isinstance(pieces[0], pa.Array):
        return pa.concat_arrays(pieces)
    return np.concatenate(pieces)


def labels_of(rows: pa.Table | pa.RecordBatch, num_labels: int) -> np.ndarray:
    """The column `label`; `label_0`, ... side by side, -1 where one is missing.

    Args:
        rows: columns as `zoo.encoding.sql` names them.
        num_labels: integer.
    """
    if num_labels == 1:
        return rows.column("label").to_numpy()
    labels = np.empty((rows.num_rows, num_labels), "int8")
    for i in range(num_labels):
        column = rows.column(f"label_{i}")
        labels[:, i] = column.fill_null(MISSING_LABEL).to_numpy()
    return labels


def weights_of(rows: pa.Table | pa.RecordBatch) -> np.ndarray:
    """The column `weight` as float32."""
    return rows.column("weight").to_numpy().astype("float32")


def without_nulls(lists: pa.Array) -> pa.ListArray:
    """Lists of ids, with an empty one where there is none."""
    lengths = pa.compute.list_value_length(lists).fill_null(0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), lists.flatten()
    )


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
