from collections.abc import Iterator
from contextlib import contextmanager

from zoo.server.refusal import Refusal


class QueuedRows:
    """Counts the rows that wait for their answers, and refuses more.

    Args:
        max_rows: integer. The most rows that may wait.
    """

    def __init__(self, max_rows: int):
        self._max_rows = max_rows
        self._rows = 0

    @contextmanager
    def hold(self, rows: int) -> Iterator[None]:
        """Counts some rows within the block.

        Raises:
            Refusal: if more rows than allowed would wait.
        """
        if self._rows + rows > self._max_rows:
            raise Refusal(
                503,
                f"at most {self._max_rows} rows may wait for their answers; "
                f"try again later. Received: {rows} rows, while {self._rows} "
                "wait",
                {"Retry-After": "1"},
            )
        self._rows += rows
        try:
            yield
        finally:
            self._rows -= rows
