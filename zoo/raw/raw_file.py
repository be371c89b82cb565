"""Opens the files of a raw log: plain, packed, or members of a zip."""

import bz2
import contextlib
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from typing import Any
from typing import cast

from zoo.raw.log_format import MAX_LINE_BYTES
from zoo.raw.splits import SPLITS


@dataclass(frozen=True)
class RawFile:
    """One file of a log, or one member of a zip.

    Attributes:
        path: path of the file.
        origin: string. `raw.origin` of its rows: a split, or the number of
            the file.
        member: string. Name of the member, if the file is a zip.
        md5: string. The expected digest of the text.
        rows: integer. The expected number of rows.
    """

    path: Path
    origin: str = ""
    member: str | None = None
    md5: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)


def has_splits(files: Sequence[RawFile]) -> bool:
    return all(raw_file.origin in SPLITS for raw_file in files)


SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
"""The names of splits, and what each is called here."""


def split_of_name(name: str) -> str | None:
    """The split that a name means, such as a key of a dict; else `None`."""
    return SPLIT_WORDS.get(Path(name).name.split(".")[0].lower())


def open_text(raw_file: RawFile) -> tuple[IO[bytes], IO[bytes]]:
    """Opens a file, and returns its unpacked text and the file itself.

    `tell` of the file says how many of its bytes have been read.
    """
    file = raw_file.path.open("rb")
    with contextlib.ExitStack() as on_error:
        on_error.callback(file.close)
        text: IO[bytes] = file
        if raw_file.member is not None:
            archive = on_error.enter_context(zipfile.ZipFile(file))
            try:
                text = archive.open(raw_file.member)
            except (NotImplementedError, RuntimeError) as error:
                raise ValueError(
                    f"{raw_file}: the zip is encrypted or packed in a way that "
                    f"Python can't read; unpack it first. Received: {error}"
                ) from error
        else:
            kind = packing(raw_file.path)
            if kind is not None:
                text = cast(IO[bytes], _UNPACKERS[kind](file))
        on_error.pop_all()
    return text, file


def first_line(raw_file: RawFile) -> str | None:
    """The first line of a file without its end; `None` if there is no text."""
    with clear_archive_errors(raw_file):
        text, file = open_text(raw_file)
        with file, text:
            # Bounded: the file may have no line ends.
            start = text.readline(MAX_LINE_BYTES)
    _check_text(raw_file, start)
    if not start:
        return None
    return re.split("[\r\n]", start.decode("utf-8-sig", "replace"))[0]


# Patterns of the first bytes.
_STARTS = {
    "gzip": rb"\x1f\x8b",
    "bzip2": rb"BZh[1-9]1AY&SY",
    "xz": rb"\xfd7zXZ\x00",
}
_UNPACKERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
# What can't be read, and what to do about it.
_NO_TEXT = {
    rb"\x28\xb5\x2f\xfd": "packed by Zstandard: unpack it by `zstd -d`",
    rb"\x04\x22\x4d\x18": "packed by LZ4: unpack it by `lz4 -d`",
    rb"7z\xbc\xaf": "a 7z archive: unpack it by `7z x`",
    rb"PK\x03\x04": "a zip within a packed file: unpack the outer one",
    rb"\xff\xfe|\xfe\xff": "UTF-16: make it UTF-8 by "
    "`iconv -f UTF-16 -t UTF-8`",
    rb"(?s:.{257})ustar": "a tar archive: unpack it by `tar -xf`, and give its "
    "folder",
    **{
        start: f"{kind} within a packed file: unpack the outer one"
        for kind, start in _STARTS.items()
    },
}


def packing(path: Path) -> str | None:
    """Returns `"gzip"`, `"bzip2"` or `"xz"`; `None` if a file is not packed."""
    with path.open("rb") as file:
        start = file.read(16)
    for kind, pattern in _STARTS.items():
        if re.match(pattern, start):
            return kind
    return None


def _check_text(raw_file: RawFile, start: bytes) -> None:
    """Raises unless the unpacked start of a file can be that of a text."""
    for pattern, reason in _NO_TEXT.items():
        if re.match(pattern, start):
            raise ValueError(
                f"{raw_file}: must be text in UTF-8, plain, .gz, .bz2, .xz or "
                f".zip. Received: a file that is {reason}"
            )


def zip_members(path: Path) -> list[str] | None:
    """The files in a zip; `None` if the file is not a zip.

    Raises:
        ValueError: if the zip is truncated, damaged or empty.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return None
    with clear_archive_errors(RawFile(path)), zipfile.ZipFile(path) as archive:
        members = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and not Path(info.filename).name.startswith((".", "_"))
        ]
    if not members:
        raise ValueError(
            f"{path}: the zip must hold files. Received: an empty zip"
        )
    return members


@contextlib.contextmanager
def clear_archive_errors(raw_file: RawFile) -> Iterator[None]:
    """Turns the errors of a damaged packed file into advice.

    Raises:
        ValueError: where the file is truncated or damaged.
    """
    try:
        yield
    except (
        EOFError,
        OSError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        # `bz2` raises a plain OSError without a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            f"{raw_file}: the packed file is truncated or damaged; get it "
            f"again. Received: {error}"
        ) from error


def check_md5(raw_file: RawFile, received: str) -> None:
    """Raises unless the text of a file has the published digest."""
    if received != raw_file.md5:
        raise ValueError(
            f"{raw_file}: the checksum must be md5 {raw_file.md5}: the file is "
            "not the one that was published, or was damaged on the way; get "
            f"it again. Received: md5 {received}"
        )
