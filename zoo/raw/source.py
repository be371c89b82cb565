"""Where the rows of a log come from, whatever holds them."""

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
from zoo.raw.piece import Piece
from zoo.raw.piece import split_of_name
from zoo.raw.piece import zip_members
from zoo.raw.splits import SPLITS
from zoo.raw.splits import natural_key
from zoo.raw.table_log import TableLog
from zoo.raw.table_log import is_parquet
from zoo.raw.table_log import is_table
from zoo.raw.text_log import TextLog


class Source(Protocol):
    """A log that can be read from its first row to its last.

    Attributes:
        name: string. How messages and summaries call it.
        size: integer. How much there is to read, in bytes or rows.
        has_splits: boolean. Whether the parts of its rows are splits.
        paths: list of paths of its files, none for data sets.
    """

    name: str
    paths: list[Path]
    size: int
    has_splits: bool

    def tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yields `raw` of `zoo.encoding.sql` piece by piece.

        With each table comes how much of `size` has been read so far.

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
            - list of paths, in order, or of `Piece`;
            - dict from `"train"`, `"validation"` and `"test"` to paths;
            - `datasets.Dataset`, `IterableDataset`, `DatasetDict` or
              `IterableDatasetDict`, or a `pyarrow.Table`.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read or it is another log.

    Example:

    >>> source = zoo.encoding.open_raw_log("train.txt", zoo.datasets.CRITEO)
    >>> source.name, source.has_splits
    ('train.txt', False)
    """
    if is_table(source):
        return TableLog(source, log_format)
    pieces = find_pieces(source, log_format)
    if not pieces:
        raise ValueError(
            f"`source` must hold something to read. Received: {source!r}"
        )
    are_parquet = [is_parquet(piece.path) for piece in pieces]
    if all(are_parquet):
        return TableLog(pieces, log_format)
    if any(are_parquet):
        raise ValueError(
            "`source` must be text or Parquet, not both. Received: "
            f"{pieces[are_parquet.index(True)]}, "
            f"{pieces[are_parquet.index(False)]}"
        )
    return TextLog(pieces, log_format)


open_source = open_raw_log
"""The former name of `open_raw_log`."""


def find_pieces(source: SourceLike, log_format: LogFormat) -> list[Piece]:
    """The files of a source that is no table, in the order of their rows.

    Args:
        source: what `open_raw_log` takes, other than data sets.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read.
    """
    if isinstance(source, Mapping):
        pieces = []
        for name, paths in source.items():
            split = split_of_name(name)
            if split is None:
                raise ValueError(
                    f"`source` as a dict must have keys of {SPLITS}. "
                    f"Received: {name!r}"
                )
            found = find_pieces(paths, log_format)
            pieces += [replace(piece, part=split) for piece in found]
        return sorted(pieces, key=lambda piece: SPLITS.index(piece.part))
    if isinstance(source, str | os.PathLike):
        return _named(_files(_existing(source, log_format)), log_format)
    if isinstance(source, Sequence) and source:
        if all(isinstance(item, Piece) for item in source):
            return list(source)
        if all(isinstance(item, str | os.PathLike) for item in source):
            files = [_existing(item, log_format) for item in source]
            return _numbered([f for file in files for f in _files(file)])
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


def _files(path: Path) -> list[Piece]:
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
        return [piece for file in ordered for piece in _files(file)]
    members = zip_members(path)
    if members is None:
        return [Piece(path)]
    ordered_members = sorted(members, key=natural_key)
    return [Piece(path, member=member) for member in ordered_members]


def _named(pieces: list[Piece], log_format: LogFormat) -> list[Piece]:
    """Tells splits by their names where a training file is among them."""
    # Of rows to be scored, none is left out and all stay in order.
    if len(pieces) == 1 or not log_format.is_labeled:
        return _numbered(pieces)
    splits = [split_of_name(p.member or p.path.name) for p in pieces]
    if "train" not in splits:
        return _numbered(pieces)
    if not log_format.test_is_labeled:
        return _numbered([pieces[splits.index("train")]])
    found = [
        replace(piece, part=split)
        for piece, split in zip(pieces, splits, strict=True)
        if split is not None
    ]
    return sorted(found, key=lambda piece: SPLITS.index(piece.part))


def _numbered(pieces: list[Piece]) -> list[Piece]:
    # Numbers of equal length sort as text in the order of the files.
    return [
        replace(piece, part=f"{number:05d}")
        for number, piece in enumerate(pieces)
    ]
