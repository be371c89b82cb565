"""Finds the files of a raw log, and the split that each belongs to."""

import os
import re
import warnings
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from pathlib import PurePosixPath
from typing import Any

from zoo.raw.days import natural_key
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import SPLIT_WORDS
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import split_of_name
from zoo.raw.raw_file import zip_members
from zoo.raw.splits import SPLITS

SourceLike = (
    str | os.PathLike | Sequence[str | os.PathLike] | Mapping[str, Any] | Any
)
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class _Found:
    """A file and its place below the folder that was searched.

    Attributes:
        file: `RawFile`.
        parts: tuple of strings, the names of the folders and of the file. A
            zip counts as a folder.
        is_whole_zip: boolean. Whether the file is the only one of a zip.
    """

    file: RawFile
    parts: tuple[str, ...]
    is_whole_zip: bool = False


def find_files(source: SourceLike, log_format: LogFormat) -> list[RawFile]:
    """The files of a source, in the order of their rows.

    Args:
        source: what `open_raw_log` takes, other than data sets.
        log_format: `LogFormat`.

    Raises:
        FileNotFoundError: if a path does not exist.
        ValueError: if there is nothing to read, or the names of the files
            leave open which rows they hold.

    Warns:
        UserWarning: for a file that is left out and looks like those that are
            read.
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
            files += [
                replace(raw_file, origin=split)
                for raw_file in find_files(paths, log_format)
            ]
        return _by_split(files)
    if isinstance(source, str | os.PathLike):
        found = _files(_existing(source, log_format))
        _check_packed_once(found)
        # All rows to be scored are read, in their order.
        if len(found) == 1 or not log_format.is_labeled:
            return _numbered(found)
        return _named(found, log_format)
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


def describe_files(files: Sequence[RawFile]) -> str:
    """Says in one line which files are read as which split."""
    by_split: dict[str, list[str]] = {}
    for file in files:
        split = file.origin if file.origin in SPLITS else "log"
        name = PurePosixPath(file.member or file.path.name).name
        by_split.setdefault(split, []).append(name)
    return "; ".join(
        f"{split}: {_shortened(names)}" for split, names in by_split.items()
    )


def _shortened(names: Sequence[str]) -> str:
    if len(names) > 4:
        return f"{names[0]}, {names[1]}, ..., {names[-1]} ({len(names)} files)"
    return ", ".join(names)


def _existing(source: str | os.PathLike, log_format: LogFormat) -> Path:
    # With one slash at least, for `Path` turns `s3://` into `s3:/`.
    if re.match("[a-z][a-z0-9+]+:/", str(source)):
        raise ValueError(
            "`source` must be a path on this machine: copy the log here first, "
            "for example by `aws s3 cp`, `gcloud storage cp` or `curl -O`, or "
            "give a data set of `datasets.load_dataset`, which reads from "
            f"there. Received: source={source}"
        )
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"`source` must be the raw {log_format.name} log, and there is no "
            f"such file. Received: source={path}"
        )
    return path


def _files(path: Path) -> list[_Found]:
    """The files below a folder, or the members of a zip, or the file."""
    if not path.is_dir():
        return _members(path, (path.name,))
    found = []
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        is_hidden = any(part.startswith((".", "_")) for part in parts)
        if file.is_file() and not is_hidden:
            found += _members(file, parts)
    if not found:
        raise ValueError(
            f"`source` must hold files. Received: an empty folder, {path}"
        )
    return sorted(found, key=lambda f: [natural_key(p) for p in f.parts])


def _members(path: Path, parts: tuple[str, ...]) -> list[_Found]:
    members = zip_members(path)
    if members is None:
        return [_Found(RawFile(path), parts)]
    return [
        _Found(
            RawFile(path, member=member),
            (*parts, *PurePosixPath(member).parts),
            is_whole_zip=len(members) == 1,
        )
        for member in sorted(members, key=natural_key)
    ]


def _check_packed_once(found: Iterable[_Found]) -> None:
    places: dict[tuple[str, ...], _Found] = {}
    for one in found:
        other = places.setdefault(_unpacked(one), one)
        if other is not one:
            raise ValueError(
                "`source` must not have the same file packed and unpacked, "
                "whose rows would count twice: remove one, or give a list of "
                f"files. Received: {other.file}, {one.file}"
            )


def _unpacked(found: _Found) -> tuple[str, ...]:
    """Returns the place of the file if it was unpacked where it lies."""
    *folders, name = found.parts
    if found.is_whole_zip:
        zip_name = folders.pop().removesuffix(".zip")
        # `train.zip` as well as `train.csv.zip` has `train.csv`.
        suffix = "" if "." in zip_name else PurePosixPath(name).suffix
        name = zip_name + suffix
    while name.endswith(_PACKED):
        name = name.rpartition(".")[0]
    return (*folders, name)


def _named(found: list[_Found], log_format: LogFormat) -> list[RawFile]:
    """Assigns splits by name, if a training file is among the files."""
    words = [_word(one) for one in found]
    splits = [SPLIT_WORDS.get(word) for word in words]
    if "train" not in splits:
        return _numbered(found)
    if not log_format.test_is_labeled:
        train = [f for f, s in zip(found, splits, strict=True) if s == "train"]
        return _numbered(train)
    word_of: dict[str, tuple[str, _Found]] = {}
    for word, split, one in zip(words, splits, found, strict=True):
        if split is None:
            continue
        first_word, first = word_of.setdefault(split, (word, one))
        if word != first_word:
            raise ValueError(
                f"`source` must have one name for the {split} split: rename "
                "or remove the other, or give a dict from splits to files. "
                f"Received: {first.file}, {one.file}"
            )
    _warn_of_others(found, splits)
    return _by_split(
        replace(one.file, origin=split)
        for one, split in zip(found, splits, strict=True)
        if split is not None
    )


def _word(found: _Found) -> str:
    """The word that names a file's split, or that of the nearest folder."""
    for part in reversed(found.parts):
        words = set(re.findall("[a-z]+", part.lower())) & set(SPLIT_WORDS)
        if len({SPLIT_WORDS[word] for word in words}) > 1:
            raise ValueError(
                "`source` must have files whose names speak of one split "
                "each: rename the file, or give a dict from splits to files. "
                f"Received: {found.file}"
            )
        if words:
            return min(words)
    return ""


def _warn_of_others(
    found: Sequence[_Found], splits: Sequence[str | None]
) -> None:
    endings = {
        one.parts[-1].partition(".")[2]
        for one, split in zip(found, splits, strict=True)
        if split is not None
    }
    for one, split in zip(found, splits, strict=True):
        if split is None and one.parts[-1].partition(".")[2] in endings:
            warnings.warn(
                f"{one.file} is left out: other files are called after "
                "splits, and this one is not. Give a list of files to read "
                "all of them as one log.",
                stacklevel=2,
            )


def _by_split(files: Iterable[RawFile]) -> list[RawFile]:
    return sorted(files, key=lambda raw_file: SPLITS.index(raw_file.origin))


def _numbered(found: list[_Found]) -> list[RawFile]:
    """Numbers the files; those of one Hive folder have the same number."""
    files, number, folder = [], -1, None
    for one in found:
        is_hive = any("=" in part for part in one.parts[:-1])
        if not is_hive or one.parts[:-1] != folder:
            number += 1
        folder = one.parts[:-1]
        # Numbers of equal length sort as text in the order of the files.
        files.append(replace(one.file, origin=f"{number:05d}"))
    return files
