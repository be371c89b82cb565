from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoo.encoding import ClickEncoder
from zoo.features import FeatureSchema

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One split: arrays of equal length.

    Attributes:
        inputs: `{"dense": (rows, num_dense) float32,
            "ids": (rows, num_fields) int32}`.
        labels: `(rows,)` int8, 0 or 1.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class EncodedLog:
    """A click log as integers: what models train on.

    Attributes:
        schema: `FeatureSchema` of the columns.
        splits: `train`, `validation` and `test`, each a `Split`.
        source: string, where the log came from; it is put into reports.
        encoder: the `ClickEncoder` that made the ids, or `None` for a log that
            never was text.
        bayes: per split, the exact metrics of the true click probabilities
            where they are known, as for a synthetic log. No model can be
            expected to do better.
    """

    schema: FeatureSchema
    splits: Mapping[str, Split]
    source: str
    encoder: ClickEncoder | None = None
    bayes: Mapping[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path) -> "EncodedLog":
        """Reads a folder that `python -m zoo prepare` wrote.

        Raises:
            FileNotFoundError: if the folder or one of its files is missing.
            ValueError: naming file, row and column, if the data does not fit
                the folder's schema.
        """
        folder = Path(folder)
        if not (folder / "encoder").is_dir():
            raise FileNotFoundError(
                "The data must be a folder written by `python -m zoo prepare`. "
                f"Received: {folder}"
            )
        encoder = ClickEncoder.load(folder / "encoder")
        splits = {
            name: _read_split(folder / f"{name}.parquet", encoder.schema)
            for name in SPLITS
        }
        return cls(encoder.schema, splits, str(folder), encoder)


def _read_split(path: Path, schema: FeatureSchema) -> Split:
    if not path.is_file():
        raise FileNotFoundError(
            "A split of the encoded log is missing; run `python -m zoo "
            f"prepare` again. Received: {path}"
        )
    table = pq.read_table(path, memory_map=True)
    rows = table.num_rows
    inputs = {
        "dense": _matrix(table, "dense", rows, schema.num_dense, "float32"),
        "ids": _matrix(table, "ids", rows, schema.num_fields, "int32"),
    }
    labels = table["label"].to_numpy()
    try:
        schema.check(inputs)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if len(labels) and not (labels.min() >= 0 and labels.max() <= 1):
        raise ValueError(
            f"{path}: `label` must be 0 or 1. "
            f"Received: {sorted(set(labels.tolist()))[:5]}"
        )
    return Split(inputs, labels)


def _matrix(
    table: pa.Table, name: str, rows: int, width: int, dtype: Any
) -> np.ndarray:
    if not width:
        return np.empty((rows, 0), dtype)
    values = table[name].combine_chunks().flatten().to_numpy()
    return values.astype(dtype, copy=False).reshape(rows, width)
