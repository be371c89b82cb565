from fastapi import HTTPException

_MOST_CHARACTERS = 1000


class Refusal(HTTPException):
    """Answers a request with a status and a message of bounded length.

    Args:
        status: integer, the status of HTTP.
        message: string. It ends in what was received, which may be long.
        headers: dict of the answer's own headers. Defaults to none.
    """

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None
    ):
        if len(message) > _MOST_CHARACTERS:
            message = f"{message[:_MOST_CHARACTERS]}..."
        super().__init__(status, message, headers)
