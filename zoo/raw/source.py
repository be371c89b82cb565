"""Opens raw logs: text, Parquet files and data sets."""

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from zoo.raw.log_files import SourceLike
from zoo.raw.log_files import find_files
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.table_log import TableLog
from zoo.raw.tables import is_parquet
from zoo.raw.tables import is_table
from zoo.raw.text_log import TextLog


class Source(Protocol):
    """A log that can be read from its first row to its last.

    Attributes:
        name: string. Its name in messages and summaries.
        size: integer. The amount to read, in bytes or rows.
        has_splits: boolean. Whether the origins of its rows are splits.
        files: list of `RawFile`, none for data sets.
        kinds: dict from the categorical columns and those with lists to their
            kinds, see `zoo.raw.columns`. Those of a stream are known as it is
            read.
        joins_lists: boolean. Whether `tables` yields lists as one text each,
            which the engine splits, or as lists.
    """

    name: str
    files: list[RawFile]
    kinds: dict[str, str]
    size: int
    has_splits: bool
    joins_lists: bool

    def tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yields `raw` of `zoo.encoding.sql` in batches.

        With each table comes the amount of `size` that has been read so far.

        Raises:
            ValueError: naming what is wrong and where.
        """

    def raise_first_bad_row(self, row_id: int) -> None:
        """Raises a `ValueError` that explains why a row breaks a rule."""


def open_raw_log(source: SourceLike, log_format: LogFormat) -> Source:
    """Opens a raw log, and checks that it begins as it should.

    `open_source` is its former name and still works.

    Args:
        source: one of
            - path of a text file, plain, `.gz`, `.bz2`, `.xz` or `.zip`, or a
              Parquet file;
            - path of a folder of such files, sub-folders included, those of
              Hive (`day=2024-01-01`) too. Files or folders with `train` as a
              word in their name make splits of it, together with those with
              `valid` (or `validation`, `val`, `dev`) and `test`, such as
              `train-00000-of-00001.parquet`; other files are then left out.
              Without them all files are read in the natural order of their
              names, `day_2` before `day_10`;
            - list of paths, in order, or of `RawFile`;
            - dict from `"train"`, `"validation"` and `"test"` to paths;
            - `datasets.Dataset`, `IterableDataset`, `DatasetDict` or
              `IterableDatasetDict`, or a `pyarrow.Table` or DataFrame.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read, it has another format, or
            the names of the files leave open which rows they hold.

    Warns:
        UserWarning: for a file that is left out and looks like those that are
            read.

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
