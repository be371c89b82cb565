"""Reads, copies and checks the Parquet file of a vocabulary."""

import shutil
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet

from zoo.files.sha256 import checksum

SCHEMA = pa.schema(
    [("token", pa.string()), ("id", pa.int32()), ("count", pa.int64())]
)


def path_of(folder: Path, field: str) -> Path:
    # Names of fields may hold characters that names of files can't.
    return folder / "vocabulary" / f"{quote(field, safe=' ')}.parquet"


def read(path: Path) -> pa.Table:
    return pa.parquet.read_table(path, columns=SCHEMA.names)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and source.samefile(target)):
        shutil.copyfile(source, target)


def check(path: Path, expected: str) -> None:
    """Raises unless a file is, byte by byte, the one that was saved."""
    check_present(path)
    received = checksum(path)
    if received != expected:
        raise ValueError(
            f"{path}: the vocabulary was changed after it was written, and "
            "models know its ids as they were. Restore the file, or run "
            f"`prepare` and `train` again. Received: sha256 {received}, not "
            f"{expected} as in encoder.json"
        )


def check_size(path: Path, num_tokens: int) -> None:
    """Raises unless a file has its number of tokens; reads its footer only."""
    check_present(path)
    try:
        received = pa.parquet.read_metadata(path).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(
            f"{path}: must be what `ClickEncoder.save` wrote. Received: {error}"
        ) from error
    if received != num_tokens:
        raise ValueError(
            f"{path}: must hold the {num_tokens} tokens that encoder.json "
            f"beside it speaks of. Received: {received} tokens"
        )


def check_present(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            "The folder of an encoder must be one that `ClickEncoder.save` "
            f"wrote, and a file is missing. Received: {path}"
        )
