"""Reads a raw text log as it is: no quoting, no guessing, no repair."""

import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from zoo.encoding.log_format import LogFormat

BLOCK_BYTES = 1 << 24
"""Read at once, and the longest line there may be."""


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
        line = file.readline(BLOCK_BYTES).removesuffix("\n")
    expected = log_format.delimiter.join(log_format.columns)
    if line != expected:
        raise ValueError(
            f"{path}, line 1: the header of a {log_format.name} log must be "
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
        on_bytes: called with the number of bytes read so far.

    Raises:
        pyarrow.ArrowInvalid: for a line with another number of columns, or
            text that is not UTF-8. A blank line is a row of empty values.
    """
    names = [role or f"unused_{i}" for i, role in enumerate(log_format.roles)]
    used = [role for role in log_format.roles if role is not None]
    first = 0
    with (
        path.open("rb") as file,
        pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(
                column_names=names,
                skip_rows=int(log_format.header),
                block_size=BLOCK_BYTES,
            ),
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
                include_columns=used,
                strings_can_be_null=False,
            ),
        ) as reader,
    ):
        for batch in reader:
            last = first + batch.num_rows
            ids = pa.array(np.arange(first, last, dtype="int64"))
            yield pa.table([ids, *batch.columns], ["row_id", *used])
            first = last
            on_bytes(file.tell())
