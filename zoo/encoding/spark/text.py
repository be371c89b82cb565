"""Reads raw text logs with Spark."""

import hashlib
import re
from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import DataFrame
from pyspark.sql import SparkSession
from pyspark.sql import functions

from zoo.encoding.spark.session import pattern_of
from zoo.raw.bad_line import raise_first_bad_line
from zoo.raw.log_format import MAX_LINE_BYTES
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import check_md5
from zoo.raw.raw_file import clear_archive_errors
from zoo.raw.raw_file import open_text
from zoo.raw.raw_file import packing
from zoo.raw.text_log import TextLog

# Hadoop unpacks files with these suffixes.
_PACKED = (".bz2", ".deflate", ".gz", ".lz4", ".snappy", ".zst")
_BYTES_PER_READ = 1 << 24


class SparkText:
    """Rows of a `TextLog`, read by Spark.

    Attributes:
        files: list of `RawFile`, in order.
        header: boolean. Whether the first line of a file is a header.

    Raises:
        ValueError: for text that Spark would read differently, or a file with
            another checksum.
    """

    def __init__(self, source: TextLog):
        self._source = source
        self._format = source.log_format
        self.files = source.files
        self.header = self._format.header
        if self._format.quoted:
            raise ValueError(
                "`engine='spark'` can't read quoted text; use "
                "engine='duckdb'. Received: a LogFormat with quoted=True"
            )
        for raw_file in self.files:
            _check_packing(raw_file)
        for raw_file in self.files:
            _check_md5(raw_file)

    def rows(self, session: SparkSession, number: int) -> DataFrame:
        """Reads a file, as text in the columns that the SQL knows.

        A line with the wrong number of columns, or that is not UTF-8, has NULL
        in all of them. `zoo.encoding.rules_sql` reports a missing label.

        Args:
            session: session of Spark.
            number: integer. Number of the file.
        """
        raw_file = self.files[number]
        columns = self._source.columns[raw_file]
        pattern = re.escape(self._format.delimiter)
        lines = session.read.text(pattern_of(raw_file.path)).select(
            *place_columns(),
            # Checked before `split`, which replaces what is not UTF-8.
            (
                functions.is_valid_utf8("value")
                & (functions.char_length("value") < MAX_LINE_BYTES)
            ).alias("is_text"),
            functions.split("value", pattern, -1).alias("values"),
        )
        is_row = functions.col("is_text") & (
            functions.size("values") == len(columns)
        )
        lines = lines.select(
            "block",
            "place",
            functions.when(is_row, functions.col("values")).alias("values"),
        )
        roles = self._format.sql_names(columns)
        return lines.select(
            "block",
            "place",
            *(
                functions.col("values")[i].alias(role)
                for i, role in enumerate(roles)
                if role is not None
            ),
        )

    def explain(self, number: int, row: int) -> None:
        """Raises for the first bad line of a file, as DuckDB would."""
        raw_file = self.files[number]
        columns = self._source.columns[raw_file]
        raise_first_bad_line(raw_file, self._format, columns)
        line = row + self._format.first_line
        raise ValueError(
            f"{raw_file}, line {line}: Spark can't read this as the "
            f"{self._format.name} log. Received: a line that breaks no rule"
        )


def place_columns() -> Sequence[Column]:
    """The block of the file that a row was read in, and its place there."""
    # The lower 33 bits are documented to be the row's number in its partition.
    place = functions.monotonically_increasing_id().bitwiseAND((1 << 33) - 1)
    block = functions.col("_metadata.file_block_start")
    return block.alias("block"), place.alias("place")


def _check_packing(raw_file: RawFile) -> None:
    packed = packing(raw_file.path)
    if raw_file.member is not None:
        reason = "a member of a zip"
    elif packed not in (None, "gzip"):
        reason = f"a file packed by {packed}"
    elif packed and raw_file.path.suffix != ".gz":
        reason = "a gzip file whose name does not end in .gz"
    elif not packed and raw_file.path.suffix in _PACKED:
        reason = f"a file that is called {raw_file.path.suffix}"
    elif raw_file.path.name.startswith(("_", ".")):
        reason = "a file that Spark takes for hidden by its name"
    else:
        return
    raise ValueError(
        "`engine='spark'` reads text files, plain or .gz: unpack or rename it "
        f"first, or use engine='duckdb'. Received: {raw_file}, {reason}"
    )


def _check_md5(raw_file: RawFile) -> None:
    if raw_file.md5 is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    text, file = open_text(raw_file)
    with clear_archive_errors(raw_file), file, text:
        while block := text.read(_BYTES_PER_READ):
            digest.update(block)
    check_md5(raw_file, digest.hexdigest())
