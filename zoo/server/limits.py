from dataclasses import dataclass
from dataclasses import fields

from zoo.checks import check_integer
from zoo.checks import check_positive_integer


@dataclass(frozen=True)
class Limits:
    """Bounds what a server takes from its clients.

    Args:
        max_rows: integer. The most rows of a request, and of the requests that
            are predicted together. Defaults to `1024`.
        max_bytes: integer. The most bytes of a request's body. Defaults to
            `4_194_304`.
        max_queued_rows: integer. The most rows of all requests that wait for
            their answers; at least `max_rows`. Defaults to `8192`.
        max_seconds: integer. The time that a client has for sending a body.
            Defaults to `30`.

    Raises:
        ValueError: if a limit is not a positive integer, or fewer rows may
            wait than a request may have.

    Example:

    >>> zoo.server.Limits(max_rows=100).max_queued_rows
    8192
    """

    max_rows: int = 1024
    max_bytes: int = 4_194_304
    max_queued_rows: int = 8192
    max_seconds: int = 30

    def __post_init__(self):
        for field in fields(self):
            check_positive_integer(field.name, getattr(self, field.name))
        check_integer("max_queued_rows", self.max_queued_rows, self.max_rows)
