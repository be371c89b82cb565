"""Writes folders that appear whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from zoo.files.partial_output import LOCK_FILE
from zoo.files.partial_output import partial_folder
from zoo.files.unfinished import undone_if_ended

_OLD = "-old"


@contextlib.contextmanager
def atomic_folder(
    output: str | os.PathLike,
    marker: str | tuple[str, ...] = "summary.json",
    overwrite: bool = False,
) -> Iterator[Path]:
    """Yields a temporary folder that becomes `output` if the block succeeds.

    The temporary folder lies beside `output`; see `partial_folder`. On any
    exception `output` stays as it was.

    Args:
        output: path. Must be absent, an empty folder, or with `overwrite` a
            folder made by an earlier run, which is replaced whole.
        marker: string or tuple of strings. The files or folders inside
            `output` by which a folder of an earlier run is known: all of them
            must be there. Defaults to `"summary.json"`.
        overwrite: boolean. Defaults to `False`.

    Raises:
        ValueError: if `output` is a file, a folder of an earlier run without
            `overwrite`, or one that holds something else.

    Example:

    ```python
    with atomic_folder("runs/first", marker="report.json") as folder:
        (folder / "report.json").write_text("{}")
    ```
    """
    # A link keeps its target, which is replaced.
    target = Path(output).resolve()
    check_replaceable(target, marker, overwrite)
    _recover(target)
    with (
        undone_if_ended(lambda: _recover(target)),
        partial_folder(target.parent, target.name) as partial,
    ):
        yield partial
        # Someone may have written there in the meantime.
        check_replaceable(target, marker, overwrite)
        _swap(partial, target)


def check_replaceable(
    output: str | os.PathLike, marker: str | tuple[str, ...], overwrite: bool
) -> None:
    """Raises a `ValueError` where `atomic_folder` would not put a folder.

    It is for work that comes before the folder is opened.

    Args:
        output, marker, overwrite: as for `atomic_folder`.
    """
    target = Path(output).resolve()
    markers = (marker,) if isinstance(marker, str) else tuple(marker)
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
    if not any(target.iterdir()):
        return
    if not all((target / marker).exists() for marker in markers):
        raise ValueError(
            "`output` is not empty and was not made by an earlier run (that "
            f"would hold {' and '.join(markers)}), so it is not replaced. "
            f"Choose another folder or empty it. Received: output={target}"
        )
    if not overwrite:
        raise ValueError(
            "`output` is what an earlier run made, which only `overwrite=True` "
            "(`--overwrite`) replaces. Choose another folder, or say so. "
            f"Received: output={target}"
        )


def _recover(target: Path) -> None:
    """Brings back a folder whose replacement was ended within `_swap`."""
    if not target.parent.is_dir():
        return
    for name in os.listdir(target.parent):
        if name.startswith(f".{target.name}.partial-") and name.endswith(_OLD):
            old = target.with_name(name)
            if target.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.rename(target)


def _swap(partial: Path, target: Path) -> None:
    # The lock is held, but its file is not a part of the output.
    (partial / LOCK_FILE).unlink(missing_ok=True)
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
