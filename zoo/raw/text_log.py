"""Reads raw text logs as they are, without guesses or repairs."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv

from zoo.raw.bad_line import raise_first_bad_line
from zoo.raw.columns import TEXT
from zoo.raw.log_format import MAX_LINE_BYTES
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import check_md5
from zoo.raw.raw_file import clear_archive_errors
from zoo.raw.raw_file import first_line
from zoo.raw.raw_file import has_splits
from zoo.raw.raw_file import open_text
from zoo.raw.tables import number_rows

_FIRST_LINE = re.compile(rb"\A[^\r\n]*(\r\n?|\n)?")
# Enough rows for DuckDB to keep a few cores busy.
BLOCK_BYTES = 1 << 25


class TextLog:
    """A log of one or more text files: a `Source` of `zoo.raw.source`.

    One of several files may be empty, or have a header alone: Spark writes
    such files.

    Args:
        files: list of `RawFile`, in order.
        log_format: `LogFormat`.

    Raises:
        ValueError: for an empty log, a broken zip or another header, or lists
            with the delimiter of the columns between their tokens.
    """

    joins_lists = True

    def __init__(self, files: Sequence[RawFile], log_format: LogFormat):
        self.files = list(files)
        self.log_format = log_format
        self.name = str(self.files[0])
        if len(self.files) > 1:
            self.name = str(self.files[0].path.parent)
        self.has_splits = has_splits(self.files)
        self.kinds = dict.fromkeys(log_format.token_columns, TEXT)
        _check_separators(log_format)
        self.columns = {
            raw_file: _columns(raw_file, log_format) for raw_file in self.files
        }
        sizes = {
            raw_file.path: raw_file.path.stat().st_size
            for raw_file in self.files
        }
        self.size = sum(sizes.values())
        self._file = self.files[0]

    def tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yields `raw` of `zoo.encoding.sql` and the number of bytes read.

        `row_id` counts from 0 through all files.
        """
        first_row = bytes_before = 0
        for raw_file in self.files:
            self._file = raw_file
            start = first_row
            for table, num_bytes in self._tables_of(raw_file):
                table = number_rows(table, first_row, raw_file.origin)
                yield table, bytes_before + num_bytes
                first_row += table.num_rows
            if raw_file.rows not in (None, first_row - start):
                raise ValueError(
                    f"{raw_file}: must hold the {raw_file.rows} rows that were "
                    "published; the file is another one. Received: "
                    f"{first_row - start} rows"
                )
            if raw_file.member is None:
                bytes_before += raw_file.path.stat().st_size
        if first_row == 0:
            raise ValueError(
                "`source` must hold at least one row. "
                f"Received: source={self.name}"
            )

    def raise_first_bad_row(self, row_id: int) -> None:
        self._raise_first_bad_line(None)

    def _tables_of(self, raw_file: RawFile) -> Iterator[tuple[pa.Table, int]]:
        columns = self.columns[raw_file]
        is_start = True
        try:
            for block, num_bytes in _blocks(raw_file):
                if is_start and self.log_format.header:
                    block = _FIRST_LINE.sub(b"", block, count=1)
                    is_start = False
                if not block:
                    continue
                # Arrow drops a byte order mark at the start of each block. Only
                # the one at the start of the file is not text.
                if not is_start and block.startswith(codecs.BOM_UTF8):
                    block = codecs.BOM_UTF8 + block
                yield _parsed(block, self.log_format, columns), num_bytes
                is_start = False
        except pa.ArrowInvalid as error:
            self._raise_first_bad_line(error)

    def _raise_first_bad_line(self, error: Exception | None) -> None:
        raw_file = self._file
        raise_first_bad_line(raw_file, self.log_format, self.columns[raw_file])
        raise ValueError(
            f"{raw_file}: can't be read as the {self.log_format.name} log. "
            f"Received: {error}"
        ) from error


def _check_separators(log_format: LogFormat) -> None:
    for name, column in log_format.sequences.items():
        if column.separator == log_format.delimiter and not log_format.quoted:
            raise ValueError(
                f"`sequences[{name!r}]` must have another separator than the "
                "`delimiter` of the columns. "
                f"Received: {column.separator!r} for both"
            )


def _columns(raw_file: RawFile, log_format: LogFormat) -> tuple[str, ...]:
    """The columns of a file; reads its header if it has one."""
    line = first_line(raw_file)
    if line is None:
        return log_format.used  # Without rows, these are as good as others.
    if not log_format.header:
        if log_format.columns is None:
            raise ValueError(
                "`columns` must be given for a text log without a header. "
                f"Received: columns=None for {raw_file}"
            )
        number = len(log_format.split_line(line))
        for layout in log_format.layouts:
            if len(layout) == number:
                return layout
        # `raise_first_bad_line` will report the line.
        return log_format.columns
    columns = tuple(log_format.split_line(line))
    if log_format.columns is not None:
        if columns not in log_format.layouts:
            expected = log_format.delimiter.join(log_format.columns)
            raise ValueError(
                f"{raw_file}, line 1: the header of the {log_format.name} log "
                f"must be {expected!r}. Received: {line[:200]!r}"
            )
        return columns
    for name in log_format.used:
        if columns.count(name) != 1:
            raise ValueError(
                f"{raw_file}, line 1: the header must name the column '{name}' "
                f"once.{_hint(line, log_format)} Received: {line[:200]!r}"
            )
    return columns


def _hint(line: str, log_format: LogFormat) -> str:
    """Says which format the header would fit; `""` if there is none."""
    used = set(log_format.used)
    for delimiter in {log_format.delimiter: 0, **dict.fromkeys(",\t;|")}:
        for quoted in (log_format.quoted, True):
            other = replace(log_format, delimiter=delimiter, quoted=quoted)
            columns = other.split_line(line)
            given = f"delimiter={delimiter!r}, quoted={quoted}"
            if used <= set(columns):
                return f" It does with `LogFormat({given})`."
            if used <= {column.strip() for column in columns}:
                return (
                    " There are spaces around its names: remove them, in the "
                    f"rows too, and give `LogFormat({given})`."
                )
    return ""


def _blocks(raw_file: RawFile) -> Iterator[tuple[bytes, int]]:
    """Yields a file in blocks that end with a line, and the bytes read.

    Arrow's own streaming reader reads ahead without bound if rows are used
    more slowly than they are read.
    """
    digest = hashlib.md5(usedforsecurity=False) if raw_file.md5 else None
    text, file = open_text(raw_file)
    with clear_archive_errors(raw_file), file, text:
        rest = b""
        while block := text.read(BLOCK_BYTES):
            if digest:
                digest.update(block)
            end = _end_of_lines(block)
            if end:
                yield rest + block[:end], file.tell()
                rest = block[end:]
            elif len(rest) + len(block) > MAX_LINE_BYTES:
                raise pa.ArrowInvalid("a line is too long")
            else:
                rest += block
        if rest:
            yield rest, file.tell()
    if digest:
        check_md5(raw_file, digest.hexdigest())


def _end_of_lines(block: bytes) -> int:
    line_feed = block.rfind(b"\n") + 1
    # Old Macs ended lines in CR alone. A CR at the end of the block may be half
    # of a CRLF.
    return line_feed or block.rfind(b"\r", 0, len(block) - 1) + 1


def _parsed(
    block: bytes, log_format: LogFormat, columns: Sequence[str]
) -> pa.Table:
    """Reads whole lines; raises `ArrowInvalid` unless each becomes a row."""
    if len(columns) > 1 and _has_empty_line(block):
        # Arrow would read it as a row without values.
        raise pa.ArrowInvalid("an empty line")
    used = log_format.sql_names(columns)
    names = [name or f"unused_{i}" for i, name in enumerate(used)]
    table = pa.csv.read_csv(
        pa.py_buffer(block),
        read_options=pa.csv.ReadOptions(column_names=names),
        parse_options=pa.csv.ParseOptions(
            delimiter=log_format.delimiter,
            quote_char='"' if log_format.quoted else False,
            double_quote=log_format.quoted,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            include_columns=[name for name in used if name is not None],
            strings_can_be_null=False,
        ),
    )
    # Arrow lets an open quote run over line ends, to the end of the block.
    num_lines = _num_lines(block)
    if table.num_rows != num_lines or log_format.has_open_quote(
        _last_line(block)
    ):
        raise pa.ArrowInvalid(f"{num_lines} lines and {table.num_rows} rows")
    return table


def _has_empty_line(block: bytes) -> bool:
    return block.startswith((b"\n", b"\r")) or any(
        ends in block for ends in (b"\n\n", b"\n\r", b"\r\r")
    )


def _num_lines(block: bytes) -> int:
    ends = block.count(b"\n")
    if b"\r" in block:
        ends += block.count(b"\r") - block.count(b"\r\n")
    return ends + (not block.endswith((b"\n", b"\r")))


def _last_line(block: bytes) -> str:
    last = block[-MAX_LINE_BYTES:].rstrip(b"\r\n").replace(b"\r", b"\n")
    return last[last.rfind(b"\n") + 1 :].decode("utf-8", "replace")
