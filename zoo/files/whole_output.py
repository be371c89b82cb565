"""Writes files and folders that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from zoo.files.partial_output import partial_folder


@contextlib.contextmanager
def atomic_output(output: str | os.PathLike) -> Iterator[Path]:
    """Yields a path that becomes `output` if the block succeeds.

    The path has the name of `output` and lies in a temporary folder beside
    it; see `partial_folder`. On any exception `output` stays as it was.

    Args:
        output: path of a file, which is replaced if it exists, or of a folder
            that does not exist. Its parents are made if absent.

    Example:

    ```python
    with atomic_output("runs/results.csv") as path:
        path.write_text("auc\n0.8\n")
    ```
    """
    target = Path(output)
    with partial_folder(target.parent, target.name) as folder:
        partial = folder / target.name
        yield partial
        partial.replace(target)


@contextlib.contextmanager
def new_output(output: str | os.PathLike) -> Iterator[Path]:
    """Yields a path that becomes `output` if the block succeeds.

    Unlike `atomic_output`, it replaces nothing.

    Args:
        output: path of a file or folder that does not exist yet.

    Raises:
        ValueError: if it exists.

    Example:

    ```python
    with new_output("models/first.onnx") as path:
        path.write_bytes(content)
    ```
    """
    check_new(output)
    with atomic_output(output) as partial:
        yield partial
        # Someone may have written there in the meantime.
        check_new(output)


def check_new(output: str | os.PathLike) -> None:
    """Raises a `ValueError` if a file or folder of that name exists."""
    if os.path.lexists(output):
        raise ValueError(
            "`output` must not be there yet, for it is not replaced: remove "
            f"it or choose another name. Received: output={output}"
        )
