"""Makes the temporary folder that an output is written in."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from filelock import Timeout

from zoo.files.unfinished import undone_if_ended

LOCK_FILE = ".lock"
# Some network disks have no locks; what a killed process left then stays.
_NO_LOCK = (OSError, NotImplementedError, Timeout)


@contextlib.contextmanager
def partial_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yields a temporary folder, from which outputs are moved into place.

    The folder is `<parent>/.<name>.partial-<random letters>`, so that moving
    an output to `parent` is a rename. It is removed at the end of the block
    unless it was renamed itself. On any exception, `KeyboardInterrupt`
    included, and where Ctrl-C ends a command, folders that were made for
    `parent` are removed too. A killed process leaves its folder behind; the
    next call for the same `parent` and `name` removes it.

    Args:
        parent: path of the folder that gets the output; made if absent.
        name: string. The name of the output.

    Example:

    ```python
    with partial_folder(Path("runs"), "first.json") as folder:
        (folder / "first.json").write_text("{}")
        (folder / "first.json").replace("runs/first.json")
    ```
    """
    made = [path for path in (parent, *parent.parents) if not path.exists()]
    prefix = f".{name}.partial-"
    partial = parent / f"{prefix}{secrets.token_hex(4)}"
    lock = FileLock(partial / LOCK_FILE)
    with undone_if_ended(lambda: _undo(partial, made)):
        try:
            parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(parent, prefix)
            # `tempfile.mkdtemp` makes private folders: the umask decides.
            partial.mkdir()
            # The system releases the lock of a process that dies.
            with contextlib.suppress(*_NO_LOCK):
                lock.acquire(timeout=0)
            yield partial
        except BaseException:
            _remove(partial, lock)
            _remove_empty(made)
            raise
        _remove(partial, lock)


def _undo(partial: Path, made: list[Path]) -> None:
    removed = partial.with_name(f"{partial.name}-removed")
    # Another thread may be about to move the output out of it, or to write in
    # it: from here on it finds nothing. What it has moved before stays. Windows
    # renames no folder with open files; the next run removes it.
    with contextlib.suppress(OSError):
        partial.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)
    _remove_empty(made)


def _remove_leftovers(parent: Path, prefix: str) -> None:
    """Removes folders of processes that were killed."""
    for name in os.listdir(parent):
        lock = parent / name / LOCK_FILE
        # A folder without a lock belongs to a process that is about to lock it.
        if not name.startswith(prefix) or not lock.exists():
            continue
        with contextlib.suppress(*_NO_LOCK), FileLock(lock, timeout=0):
            shutil.rmtree(parent / name, ignore_errors=True)


def _remove(partial: Path, lock: FileLock) -> None:
    lock.release(force=True)
    shutil.rmtree(partial, ignore_errors=True)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
