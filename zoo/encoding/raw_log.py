"""Reads a raw text log as it is: no quoting, no guessing, no repair."""

import codecs
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from zoo.encoding.log_format import LogFormat

MAX_LINE_BYTES = 1 << 20
"""A longer line is a sign of another kind of file."""

# Enough rows for DuckDB to share them out among a few cores.
BLOCK_BYTES = 1 << 26


def check_source(source: str | os.PathLike, log_format: LogFormat) -> Path:
    """Raises unless `source` is a file that begins as its format says.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a folder, an empty file, a packed one, or another
            header.
    """
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"`source` must be the raw {log_format.name} log, and there is no "
            f"such file. Received: source={path}"
        )
    if path.is_dir():
        raise ValueError(
            f"`source` must be the raw {log_format.name} log itself, not the "
            f"folder it lies in. Received: source={path}"
        )
    if path.stat().st_size == 0:
        raise ValueError(
            f"`source` must hold at least one row; the file is empty. "
            f"Received: source={path}"
        )
    with path.open("rb") as file:
        if file.read(4)[:2] in (b"\x1f\x8b", b"PK"):
            raise ValueError(
                "`source` must be text; this file is packed (gzip or zip). "
                f"Unpack it first. Received: source={path}"
            )
    if log_format.header:
        _check_header(path, log_format)
    return path


def _check_header(path: Path, log_format: LogFormat) -> None:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        line = file.readline(MAX_LINE_BYTES).removesuffix("\n")
    expected = log_format.delimiter.join(log_format.columns)
    if line != expected:
        raise ValueError(
            f"{path}, line 1: the header of the {log_format.name} log must be "
            f"{expected!r}. Received: {line[:200]!r}"
        )


def read_raw(
    path: Path, log_format: LogFormat, on_bytes: Callable[[int], None]
) -> Iterator[pa.Table]:
    """Yields the columns that the encoder reads, all as text.

    The tables are `raw` of `zoo.encoding.sql`; `row_id` counts from 0 in file
    order.

    Args:
        path: path that `check_source` passed.
        log_format: `LogFormat`.
        on_bytes: called with the number of bytes read so far, once the rows in
            them have been used.

    Raises:
        pyarrow.ArrowInvalid: for a line with another number of columns, or
            text that is not UTF-8. A blank line is a row of empty values.
    """
    first_row = num_bytes = 0
    for block in _blocks(path):
        skip = int(log_format.header and num_bytes == 0)
        # Arrow drops a byte order mark wherever it begins to parse, and only
        # the one at the start of the file is none of the text.
        is_text = num_bytes > 0 and block.startswith(codecs.BOM_UTF8)
        kept = codecs.BOM_UTF8 + block if is_text else block
        table = _parsed(kept, log_format, skip)
        row_id = np.arange(first_row, first_row + table.num_rows, dtype="int64")
        yield table.add_column(0, "row_id", pa.array(row_id))
        first_row += table.num_rows
        num_bytes += len(block)
        on_bytes(num_bytes)


def _blocks(path: Path) -> Iterator[bytes]:
    """Yields the file in pieces that end with a line.

    Arrow's own streaming reader reads ahead without bound where the rows are
    used more slowly than the disk gives them.
    """
    with path.open("rb") as file:
        rest = b""
        while piece := file.read(BLOCK_BYTES):
            end = _end_of_lines(piece)
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            elif len(rest) + len(piece) > MAX_LINE_BYTES:
                raise pa.ArrowInvalid("a line is too long")
            else:
                rest += piece
        if rest:
            yield rest


def _end_of_lines(piece: bytes) -> int:
    line_feed = piece.rfind(b"\n") + 1
    # Old Macs ended lines in CR alone; a CR at the very end may yet turn out
    # to be half of a CRLF.
    return line_feed or piece.rfind(b"\r", 0, len(piece) - 1) + 1


def _parsed(block: bytes, log_format: LogFormat, skip: int) -> pa.Table:
    names = [role or f"unused_{i}" for i, role in enumerate(log_format.roles)]
    return pa.csv.read_csv(
        pa.py_buffer(block),
        read_options=pa.csv.ReadOptions(column_names=names, skip_rows=skip),
        parse_options=pa.csv.ParseOptions(
            delimiter=log_format.delimiter,
            quote_char=False,
            double_quote=False,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            include_columns=[r for r in log_format.roles if r is not None],
            strings_can_be_null=False,
        ),
    )
