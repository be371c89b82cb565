"""Finds the files of a preset: built in, in a folder, or on the Hub."""

import errno
import os
from pathlib import Path
from typing import Any

from zoo.checks import check_path
from zoo.checks import did_you_mean

HUB_PREFIX = "hf://"
_BUILT_IN = Path(__file__).parent / "built_in"


def built_in_presets() -> list[str]:
    """Returns the names of the presets that are part of this package.

    Those of `gowalla` were trained on a real log, the others are small models
    of an artificial one, for offline trials. The card of each
    (`zoo.model_card`) describes its training data.

    Example:

    >>> "deepfm_synthetic" in zoo.built_in_presets()
    True
    """
    return sorted(folder.name for folder in _BUILT_IN.glob("*/"))


def preset_folder(
    preset: str | os.PathLike,
    files: tuple[str, ...],
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> Path:
    """Returns the local folder of a preset, fetched first if it is on the Hub.

    Args:
        preset: name of a built-in preset, path of a folder, or
            `"hf://user/repository"`, with `"@revision"` behind it or without.
            A folder of a built-in name comes first.
        files: patterns of the files to fetch.
        revision: string. A branch, tag or commit of the repository. Defaults
            to `None`, the one in the address, else its main branch.
        token: string. For the Hub; `None` takes the one that you are logged in
            with. Defaults to `None`.
        cache_dir: path of the Hub's cache; `None` is that of
            `huggingface_hub`, below `HF_HOME`. Defaults to `None`.

    Raises:
        FileNotFoundError: if there is no such folder, or the repository is
            neither in the cache nor can be fetched.
        ValueError: for an address without user and repository, one of another
            revision than `revision`, or arguments of the Hub with a folder.
    """
    check_path("preset", preset)
    if str(preset).startswith(HUB_PREFIX):
        return _fetched(str(preset), files, revision, token, cache_dir)
    for name, value in (
        ("revision", revision),
        ("token", token),
        ("cache_dir", cache_dir),
    ):
        if value is not None:
            raise ValueError(
                f"`{name}` is for presets on the Hub, `{HUB_PREFIX}user/"
                f"repository`. Received: preset={preset!r}"
            )
    folder = Path(preset)
    if folder.is_dir():
        return folder
    if str(preset) in built_in_presets():
        return _BUILT_IN / str(preset)
    raise FileNotFoundError(
        f"`preset` must be one of {built_in_presets()}, the path of a folder "
        "written by `python -m zoo train` or `save_to_preset`, or "
        f"`{HUB_PREFIX}user/repository`. "
        f"{did_you_mean(preset, built_in_presets())}"
        f"Received: preset={str(preset)!r}"
    )


def repository_of(address: str) -> str:
    """Returns `user/repository` of an address on the Hub.

    Raises:
        ValueError: for anything but `hf://user/repository`.
    """
    repository = address.removeprefix(HUB_PREFIX)
    parts = repository.split("/")
    if (
        repository == address
        or len(parts) != 2
        or not all(parts)
        or "@" in repository
    ):
        raise ValueError(
            f"An address on the Hub must be `{HUB_PREFIX}user/repository`. "
            f"Received: {address}"
        )
    return repository


def _fetched(preset, files, revision, token, cache_dir) -> Path:
    # It takes long to import, and folders do without.
    import huggingface_hub

    address, _, pinned = preset.partition("@")
    repository = repository_of(address if pinned else preset)
    if pinned and revision not in (None, pinned):
        raise ValueError(
            "`revision` must be that of the address, if it has one. "
            f"Received: preset={preset}, revision={revision}"
        )
    revision = pinned or revision
    try:
        folder = huggingface_hub.snapshot_download(
            repository,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            allow_patterns=list(files),
        )
    except (
        OSError,
        huggingface_hub.errors.HTTPError,
        huggingface_hub.errors.LocalEntryNotFoundError,
    ) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise FileNotFoundError(
            f"`preset` is not in the cache and can't be fetched: there is no "
            "connection, HF_HUB_OFFLINE is set, or the Hub refuses. Copy the "
            f"repository to a folder and give its path. Received: {preset} "
            f"({error})"
        ) from error
    return Path(folder)


def check_nothing_to_fetch(hub: dict[str, Any]) -> None:
    """Raises a `ValueError` for arguments of the Hub beside a model.

    Args:
        hub: dict, `revision`, `token` and `cache_dir`.
    """
    if hub:
        raise ValueError(
            "Arguments of the Hub must be left out beside a model, which is "
            f"not fetched. Received: {', '.join(hub)}"
        )
