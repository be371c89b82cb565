"""Knows what to undo where a process ends at once, without an exception."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

_under_way: list[Callable[[], object]] = []


@contextlib.contextmanager
def undone_if_ended(undo: Callable[[], object]) -> Iterator[None]:
    """Has a function called if the process is ended at once within the block.

    The block itself undoes its work on an exception.

    Args:
        undo: function without arguments. It may be called at any moment of
            the block, by another thread too, and must take no locks.

    Example:

    ```python
    folder = Path("half")
    with undone_if_ended(lambda: shutil.rmtree(folder)):
        folder.mkdir()
        ...
        folder.rename("whole")
    ```
    """
    _under_way.append(undo)
    try:
        yield
    finally:
        _under_way.remove(undo)


def undo_all() -> None:
    """Undoes what is under way, the last first."""
    for undo in reversed(_under_way.copy()):
        # The process ends, and the next run meets what is left.
        with contextlib.suppress(Exception):
            undo()
