"""Folders that are either whole or not there."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from filelock import Timeout

_LOCK = ".lock"
_OLD = "-old"


@contextlib.contextmanager
def atomic_folder(
    output: str | os.PathLike,
    marker: str | tuple[str, ...] = "summary.json",
) -> Iterator[Path]:
    """Yields a temporary folder that becomes `output` if the block succeeds.

    The temporary folder lies beside `output`, so that the last step is a
    rename. On any exception, `KeyboardInterrupt` included, it is removed and
    `output` stays as it was. Only a killed process leaves one behind, under a
    name that starts with `.<name of output>.partial-`; the next run for the
    same output removes it.

    Args:
        output: path. Must be absent, an empty folder, or a folder made by an
            earlier run, which is replaced whole.
        marker: string or tuple of strings. The files or folders inside
            `output` by which a folder of an earlier run is known: all of them
            must be there. Defaults to `"summary.json"`.

    Raises:
        ValueError: if `output` is a file, or a folder that holds something
            else.

    Example:

    ```python
    with atomic_folder("runs/first", marker="report.json") as folder:
        (folder / "report.json").write_text("{}")
    ```
    """
    markers = (marker,) if isinstance(marker, str) else tuple(marker)
    # A link keeps pointing where it did: what it points to is replaced.
    target = Path(output).resolve()
    _check_replaceable(target, markers)
    made_parents = _make_parents(target)
    _tidy_up(target)
    partial = None
    lock = None
    try:
        partial = Path(
            tempfile.mkdtemp(
                prefix=f".{target.name}.partial-", dir=target.parent
            )
        )
        _open_to_others(partial)
        # The system takes it back from a process that dies.
        lock = FileLock(partial / _LOCK)
        lock.acquire()
        yield partial
        # Someone may have written there in the meantime.
        _check_replaceable(target, markers)
        _swap(partial, target)
        lock.release(force=True)
        (target / _LOCK).unlink(missing_ok=True)
    except BaseException:
        if lock is not None:
            lock.release(force=True)
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        for parent in made_parents:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _check_replaceable(target: Path, markers: tuple[str, ...]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ValueError(
            "`output` must be a folder, and there is a file of that name. "
            f"Choose another name or remove it. Received: output={target}"
        )
    if os.path.ismount(target):
        raise ValueError(
            "`output` must not be where a disk is mounted, for it is put in "
            f"place by a rename: name a folder below it. Received: "
            f"output={target}"
        )
    if any(target.iterdir()) and not all(
        (target / marker).exists() for marker in markers
    ):
        raise ValueError(
            "`output` is not empty and was not made by an earlier run (that "
            f"would hold {' and '.join(markers)}), so it is not replaced. "
            f"Choose another folder or empty it. Received: output={target}"
        )


def _tidy_up(target: Path) -> None:
    """Removes what killed processes left, and brings back what they took."""
    for path in list(target.parent.iterdir()):
        if not path.name.startswith(f".{target.name}.partial-"):
            continue
        if path.name.endswith(_OLD):
            # Killed between the two renames of `_swap`.
            if target.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(target)
            continue
        # Without a lock, another run is about to begin.
        if not (path / _LOCK).exists():
            continue
        with (
            contextlib.suppress(Timeout, OSError),
            FileLock(path / _LOCK, timeout=0),
        ):
            shutil.rmtree(path, ignore_errors=True)


def _make_parents(target: Path) -> list[Path]:
    made = [path for path in target.parents if not path.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return made


def _open_to_others(folder: Path) -> None:
    # mkdtemp makes private folders; the result should be as public as any
    # other folder that the user makes.
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)


def _swap(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    old = partial.with_name(partial.name + _OLD)
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
