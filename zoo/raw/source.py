"""Opens raw logs: text, Parquet files and data sets."""

import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Protocol

import pyarrow as pa

from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import split_of_name
from zoo.raw.raw_file import zip_members
from zoo.raw.splits import SPLITS
from zoo.raw.splits import natural_key
from zoo.raw.table_log import TableLog
from zoo.raw.table_log import is_parquet
from zoo.raw.table_log import is_table
from zoo.raw.text_log import TextLog


class Source(Protocol):
    """A log that can be read from its first row to its last.

    Attributes:
        name: string. Its name in messages and summaries.
        size: integer. The amount to read, in bytes or rows.
        has_splits: boolean. Whether the origins of its rows are splits.
        paths: list of paths of its files, none for data sets.
    """

    name: str
    paths: list[Path]
    size: int
    has_splits: bool

    def tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yields `raw` of `zoo.encoding.sql` in batches.

        With each table comes the amount of `size` that has been read so far.

        Raises:
            ValueError: naming what is wrong and where.
        """

    def raise_first_bad_row(self, row_id: int) -> None:
        """Raises a `ValueError` that explains why a row breaks a rule."""


SourceLike = (
    str | os.PathLike | Sequence[str | os.PathLike] | Mapping[str, Any] | Any
)


def open_raw_log(source: SourceLike, log_format: LogFormat) -> Source:
    """Opens a raw log, and checks that it begins as it should.

    `open_source` is its former name and still works.

    Args:
        source: one of
            - path of a text file, plain, `.gz` or `.zip`, or a Parquet file;
            - path of a folder of such files; its files `train`, `valid` (or
              `validation`, `val`, `dev`) and `test`, with any suffix, are
              splits, and other files are read in the natural order of their
              names, `day_2` before `day_10`;
            - list of paths, in order, or of `RawFile`;
            - dict from `"train"`, `"validation"` and `"test"` to paths;
            - `datasets.Dataset`, `IterableDataset`, `DatasetDict` or
              `IterableDatasetDict`, or a `pyarrow.Table`.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read, or it has another format.

    Example:

    >>> source = zoo.encoding.open_raw_log("train.txt", zoo.datasets.CRITEO)
    >>> source.name, source.has_splits
    ('train.txt', False)
    """
    if is_table(source):
        return TableLog(source, log_format)
    files = find_files(source, log_format)
    if not files:
        raise ValueError(
            f"`source` must hold something to read. Received: {source!r}"
        )
    are_parquet = [is_parquet(raw_file.path) for raw_file in files]
    if all(are_parquet):
        return TableLog(files, log_format)
    if any(are_parquet):
        raise ValueError(
            "`source` must be text or Parquet, not both. Received: "
            f"{files[are_parquet.index(True)]}, "
            f"{files[are_parquet.index(False)]}"
        )
    return TextLog(files, log_format)


open_source = open_raw_log
"""The former name of `open_raw_log`."""


def find_files(source: SourceLike, log_format: LogFormat) -> list[RawFile]:
    """The files of a source, in the order of their rows.

    Args:
        source: what `open_raw_log` takes, other than data sets.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read.
    """
    if isinstance(source, Mapping):
        files = []
        for name, paths in source.items():
            split = split_of_name(name)
            if split is None:
                raise ValueError(
                    f"`source` as a dict must have keys of {SPLITS}. "
                    f"Received: {name!r}"
                )
            found = find_files(paths, log_format)
            files += [replace(raw_file, origin=split) for raw_file in found]
        return sorted(files, key=lambda raw_file: SPLITS.index(raw_file.origin))
    if isinstance(source, str | os.PathLike):
        return _named(_files(_existing(source, log_format)), log_format)
    if isinstance(source, Sequence) and source:
        if all(isinstance(item, RawFile) for item in source):
            return list(source)
        if all(isinstance(item, str | os.PathLike) for item in source):
            paths = [_existing(item, log_format) for item in source]
            return _numbered([file for path in paths for file in _files(path)])
    raise ValueError(
        "`source` must be a path, a list of paths, a dict from splits to "
        f"paths, or a data set. Received: {source!r:.200}"
    )


def _existing(source: str | os.PathLike, log_format: LogFormat) -> Path:
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"`source` must be the raw {log_format.name} log, and there is no "
            f"such file. Received: source={path}"
        )
    return path


def _files(path: Path) -> list[RawFile]:
    """The files below a folder, or the members of a zip, or the file."""
    if path.is_dir():
        files = [
            file
            for file in path.iterdir()
            if file.is_file() and not file.name.startswith((".", "_"))
        ]
        if not files:
            raise ValueError(
                f"`source` must hold files. Received: an empty folder, {path}"
            )
        ordered = sorted(files, key=lambda file: natural_key(file.name))
        return [raw_file for file in ordered for raw_file in _files(file)]
    members = zip_members(path)
    if members is None:
        return [RawFile(path)]
    ordered_members = sorted(members, key=natural_key)
    return [RawFile(path, member=member) for member in ordered_members]


def _named(files: list[RawFile], log_format: LogFormat) -> list[RawFile]:
    """Assigns splits by name, if a training file is among the files."""
    # All rows to be scored are read, in their order.
    if len(files) == 1 or not log_format.is_labeled:
        return _numbered(files)
    splits = [split_of_name(f.member or f.path.name) for f in files]
    if "train" not in splits:
        return _numbered(files)
    if not log_format.test_is_labeled:
        return _numbered([files[splits.index("train")]])
    found = [
        replace(raw_file, origin=split)
        for raw_file, split in zip(files, splits, strict=True)
        if split is not None
    ]
    return sorted(found, key=lambda raw_file: SPLITS.index(raw_file.origin))


def _numbered(files: list[RawFile]) -> list[RawFile]:
    # Numbers of equal length sort as text in the order of the files.
    return [
        replace(raw_file, origin=f"{number:05d}")
        for number, raw_file in enumerate(files)
    ]
