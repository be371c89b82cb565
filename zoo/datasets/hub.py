"""Fetches click logs from the Hugging Face Hub."""

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.checks import did_you_mean
from zoo.datasets.extras import import_extra
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import zip_members

_URL = "https://huggingface.co/datasets"


_FILES = {"train": "train.csv", "validation": "valid.csv", "test": "test.csv"}

ZIPS: dict[str, dict[str, tuple[str, int]]] = {
    "reczoo/Criteo_x1": {
        "train": ("30b89c1c7213013b92df52ec44f52dc5", 33_003_326),
        "validation": ("f73c71fb3c4f66b6ebdfa032646bea72", 8_250_124),
        "test": ("2c48b26e84c04a69b948082edae46f8c", 4_587_167),
    },
    "reczoo/Criteo_x4": {
        "train": ("4a53bb7cbc0e4ee25f9d6a73ed824b1a", 36_672_493),
        "validation": ("fba5428b22895016e790e2dec623cb56", 4_584_062),
        "test": ("cfc37da0d75c4d2d8778e76997df2976", 4_584_062),
    },
    "reczoo/Avazu_x1": {
        "train": ("f1114a07aea9e996842c71648e0f6395", 28_300_276),
        "validation": ("d9568f246357d156c4b8030fadb8b623", 4_042_897),
        "test": ("9e2fe9c48705c9315ae7a0953eb57acf", 8_085_794),
    },
    "reczoo/Avazu_x4": {
        "train": ("de3a27264cdabf66adf09df82328ccaa", 32_343_172),
        "validation": ("33232931d84d6452d3f956e936cab2c9", 4_042_897),
        "test": ("3ebb774a9ca74d05919b84a3d402986d", 4_042_898),
    },
}
"""Data sets that are one zip, named after the data set.

Every split has the md5 of its file in the zip and its number of rows.
"""

CLICK_LOGS = "criteo/CriteoClickLogs"
"""The data set with the files `day_0.gz` to `day_23.gz`, 39 GB together.

Neither checksums nor numbers of rows are published for the files.
"""
NUM_DAYS = 24

IDS = (*ZIPS, CLICK_LOGS)


def hub_id(source: Any) -> str | None:
    """The full id that a source names; `None` if it names none.

    A file or folder of that name takes precedence, as in `datasets`.
    """
    if not isinstance(source, str) or Path(source).exists():
        return None
    return full_id(source)


def fetch(
    source: str,
    *,
    days: Iterable[int] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
) -> list[RawFile]:
    """Fetches a data set from the Hub; returns its files and their splits.

    Files are fetched once and kept in the cache of `huggingface_hub`, below
    `HF_HOME`. Nothing is unpacked. The loaders and `zoo.encoding.prepare`
    compare checksums of the files in a zip with the published ones while they
    read.

    Args:
        source: string. `"reczoo/Criteo_x1"`, `"reczoo/Criteo_x4"`,
            `"reczoo/Avazu_x1"`, `"reczoo/Avazu_x4"` or
            `"criteo/CriteoClickLogs"`. The owner before the slash may be left
            out, and the case does not matter.
        days: integers from 0 to 23, required for `"criteo/CriteoClickLogs"`
            and for no other. They are read in the order of time.
        revision: string. A branch, tag or commit of the repository. Defaults
            to `None`, its main branch.
        token: string. For the Hub; `None` takes the token of your login.
            Defaults to `None`.

    Returns:
        list of `RawFile`, for the argument `source` of the loaders, of
        `zoo.encoding.open_raw_log` and of `zoo.encoding.prepare`.

    Raises:
        FileNotFoundError: if a file is not in the cache and can't be fetched,
            with its name and what to do.
        ValueError: for an unknown data set or day, or a zip that is damaged or
            holds other files.

    Example:

    ```python
    files = zoo.datasets.fetch("reczoo/Criteo_x4")
    zoo.prepare(zoo.datasets.CRITEO_X4, files, "encoded/criteo_x4")

    name = "criteo/CriteoClickLogs"
    days = {
        "train": zoo.datasets.fetch(name, days=range(22)),
        "validation": zoo.datasets.fetch(name, days=[22]),
        "test": zoo.datasets.fetch(name, days=[23]),
    }
    stream = zoo.load_criteo(days, streaming=True)
    ```
    """
    repo = full_id(source)
    if repo is None:
        raise ValueError(
            f"`source` must be one of {IDS}. {did_you_mean(source, IDS)}"
            f"Received: source={source!r}"
        )
    if repo == CLICK_LOGS:
        return [
            RawFile(
                _download(repo, f"day_{day}.gz", revision, token),
                origin=f"{day:05d}",
            )
            for day in _checked_days(days)
        ]
    if days is not None:
        raise ValueError(
            f"`days` is for {CLICK_LOGS!r}. Received: days={days} for {repo!r}"
        )
    archive = f"{repo.split('/')[1]}.zip"
    return _members(_download(repo, archive, revision, token), ZIPS[repo])


def full_id(name: str) -> str | None:
    """The full id of a data set, from a name in any case, with owner or not."""
    for full in IDS:
        if name.lower() in (full.lower(), full.split("/")[1].lower()):
            return full
    return None


def _checked_days(days: Iterable[int] | None) -> list[int]:
    chosen = [] if days is None else list(days)
    known = range(NUM_DAYS)
    if (
        not chosen
        or len(set(chosen)) != len(chosen)
        or any(isinstance(day, bool) or day not in known for day in chosen)
    ):
        raise ValueError(
            f"`days` must be different integers from 0 to {NUM_DAYS - 1}, at "
            f"least one, such as range({NUM_DAYS}) for all 39 GB. "
            f"Received: days={days}"
        )
    return sorted(int(day) for day in chosen)


def _download(
    repo: str, file: str, revision: str | None, token: str | bool | None
) -> Path:
    hub = import_extra("huggingface_hub")
    errors = import_extra("huggingface_hub.errors")
    try:
        path = hub.hf_hub_download(
            repo, file, repo_type="dataset", revision=revision, token=token
        )
    # The HTTP library raises its own error when a connection breaks off.
    except (OSError, errors.HTTPError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise FileNotFoundError(
            f"{file} of the data set {repo} is not in the cache and can't be "
            "fetched: there is no connection, HF_HUB_OFFLINE is set, or the "
            f"Hub refuses. Get {file} from {_URL}/{repo} on another machine, "
            "and give the path of your copy (of the folder, where there are "
            f"several files) as `source`. Received: {error}"
        ) from error
    return Path(path)


def _members(path: Path, facts: dict[str, tuple[str, int]]) -> list[RawFile]:
    members = zip_members(path) or []
    files = []
    for split, (md5, rows) in facts.items():
        # It is not documented whether the zip has a top folder.
        names = [name for name in members if Path(name).name == _FILES[split]]
        if len(names) != 1:
            raise ValueError(
                f"{path}: the zip must hold one file '{_FILES[split]}'. "
                f"Received: {members}"
            )
        files.append(RawFile(path, split, names[0], md5, rows))
    return files
