"""Files and folders that appear once they are whole, and replace nothing."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def new_output(output: str | os.PathLike) -> Iterator[Path]:
    """Yields a path that becomes `output` if the block succeeds.

    The path lies in a temporary folder beside `output`, so that the last step
    is a rename. On any exception nothing is left, nor the folders made for it.

    Args:
        output: path of a file or folder that is not there yet.

    Raises:
        ValueError: if it is there.

    Example:

    ```python
    with new_output("models/first.onnx") as path:
        path.write_bytes(content)
    ```
    """
    target = Path(output)
    check_new(target)
    made_parents = [path for path in target.parents if not path.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix=f".{target.name}.partial-", dir=target.parent
        ) as folder:
            partial = Path(folder) / target.name
            yield partial
            # Someone may have written there in the meantime.
            check_new(target)
            partial.rename(target)
    except BaseException:
        for parent in made_parents:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def check_new(output: str | os.PathLike) -> None:
    """Raises a `ValueError` if there is something of that name."""
    if os.path.lexists(output):
        raise ValueError(
            "`output` must not be there yet, for it is not replaced: remove "
            f"it or choose another name. Received: output={output}"
        )
