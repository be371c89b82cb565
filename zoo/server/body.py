"""Reads the body of a request, and no more of it than is allowed."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from zoo.server.limits import Limits
from zoo.server.refusal import Refusal


async def read_body(request: Request, limits: Limits) -> bytes:
    """Returns the body of a request.

    Raises:
        Refusal: for a body that is compressed, too large, too slow, or not
            whole.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Refusal(
            415,
            "the body must not be compressed. "
            f"Received: Content-Encoding={encoding!r}",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        _check_size(int(declared), limits.max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.max_seconds):
            async for chunk in request.stream():
                body += chunk
                _check_size(len(body), limits.max_bytes)
    except TimeoutError:
        raise Refusal(
            408,
            f"the body must arrive within {limits.max_seconds} seconds. "
            f"Received: {len(body)} bytes",
        ) from None
    except ClientDisconnect:
        raise Refusal(
            400, "the body must be whole. Received: only its start"
        ) from None
    return bytes(body)


def _check_size(received: int, max_bytes: int) -> None:
    if received > max_bytes:
        raise Refusal(
            413,
            f"the body must have at most {max_bytes} bytes; send its rows in "
            f"several requests. Received: {received} bytes or more",
        )
