"""Reads, copies and checks the Parquet file of a vocabulary."""

import hashlib
import shutil
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet

from zoo.files.sha256 import checksum

_LONGEST_NAME = 255  # In bytes, of file systems; a quoted name is ASCII.
_KEPT = 100  # Of a name that is longer than that.
SCHEMA = pa.schema(
    [("token", pa.string()), ("id", pa.int32()), ("count", pa.int64())]
)


def path_of(folder: Path, field: str) -> Path:
    # Names of fields may hold characters that names of files can't.
    name = f"{quote(field, safe=' ')}.parquet"
    if len(name) > _LONGEST_NAME:
        # No other name has a `=`, which is quoted in the name of a field.
        digest = hashlib.sha256(field.encode("utf-8")).hexdigest()
        name = f"{name[:_KEPT]}={digest}.parquet"
    return folder / "vocabulary" / name


def read(path: Path) -> pa.Table:
    return pa.parquet.read_table(path, columns=SCHEMA.names)


def read_tokens(path: Path) -> pa.Array:
    """Returns the tokens in the order of their ids."""
    table = pa.parquet.read_table(path, columns=["token", "id"])
    ids = table["id"].to_numpy()
    if (ids[1:] <= ids[:-1]).any():
        table = table.sort_by("id")
    return table["token"].cast(pa.large_string()).combine_chunks()


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
