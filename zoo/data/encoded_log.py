import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from zoo.checks import check_choice
from zoo.data.split import Split
from zoo.encoding import ClickEncoder
from zoo.feature_schema import FeatureSchema
from zoo.raw.splits import SPLITS


@dataclass(frozen=True)
class EncodedLog:
    """A click log as integers: what models train on.

    Attributes:
        schema: `FeatureSchema` of the columns.
        splits: dict of `Split`: those of `train`, `validation` and `test`
            that exist.
        source: string, where the log came from; it is put into reports.
        encoder: the `ClickEncoder` that made the ids, or `None` for a log that
            never was text.
        bayes: per split, the exact metrics of the true click probabilities
            where they are known, as for a synthetic log. No model can be
            expected to do better.

    Example:

    >>> log = zoo.EncodedLog.load("encoded/criteo")
    >>> log.schema.num_dense, log.schema.num_fields
    (13, 26)
    """

    schema: FeatureSchema
    splits: Mapping[str, Split]
    source: str
    encoder: ClickEncoder | None = None
    bayes: Mapping[str, dict[str, float]] = field(default_factory=dict)

    def split(self, name: str) -> Split:
        """Returns one split.

        Args:
            name: string, `"train"`, `"validation"` or `"test"`.

        Returns:
            `zoo.Split`.

        Raises:
            ValueError: if the log does not have it, naming those it has.

        Example:

        >>> split = zoo.EncodedLog.load("encoded/criteo").split("test")
        >>> inputs, labels = split.read(0, 100)
        >>> inputs["dense"].shape, inputs["ids"].shape, labels.shape
        ((100, 13), (100, 26), (100,))
        """
        check_choice("split", name, self.splits)
        return self.splits[name]

    @classmethod
    def load(cls, folder: str | Path) -> "EncodedLog":
        """Opens a folder that `python -m zoo prepare` wrote.

        The rows stay in their files, which are memory-mapped. Types, widths
        and the number of rows are checked here, values when they are read.

        Args:
            folder: path of that folder.

        Raises:
            FileNotFoundError: if the folder or one of its files is missing.
            ValueError: naming the file or folder, if it is damaged, does not
                fit the folder's schema or is of an earlier format.

        Example:

        ```python
        log = zoo.EncodedLog.load("encoded/criteo")
        len(log.split("train"))
        ```
        """
        folder = Path(folder)
        if not (folder / "encoder").is_dir():
            raise FileNotFoundError(
                "The data must be a folder written by `python -m zoo prepare`. "
                f"Received: {folder}"
            )
        rows = _rows_of_splits(folder)
        encoder = ClickEncoder.load(folder / "encoder")
        splits = {
            name: _open_split(folder / name, encoder.schema, rows[name])
            for name in SPLITS
            if name in rows
        }
        return cls(encoder.schema, splits, str(folder), encoder)


def _rows_of_splits(folder: Path) -> dict[str, Any]:
    if (folder / "train.parquet").is_file():
        raise ValueError(
            "The encoded log is in the Parquet format of an earlier version; "
            f"run `python -m zoo prepare` again. Received: {folder}"
        )
    path = folder / "summary.json"
    if not path.is_file():
        raise FileNotFoundError(
            "The summary of the encoded log is missing; run `python -m zoo "
            f"prepare` again. Received: {path}"
        )
    try:
        splits = json.loads(path.read_text())["splits"]
        rows = {name: splits[name]["rows"] for name in splits}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "The summary of the encoded log is damaged: it must give the "
            "number of rows of every split; run `python -m zoo prepare` again. "
            f"Received: {path} ({error!r})"
        ) from error
    if not rows:
        raise ValueError(
            "The encoded log must have a split; run `python -m zoo prepare` "
            f"again. Received: {path} without splits"
        )
    return rows


def _open_split(folder: Path, schema: FeatureSchema, rows: int) -> Split:
    split = Split.open(folder, schema)
    if len(split) != rows:
        raise ValueError(
            f"A split must have the {rows} rows that summary.json counts; a "
            "file is missing or cut off: run `python -m zoo prepare` again. "
            f"Received: {folder} with {len(split)} rows"
        )
    return split
