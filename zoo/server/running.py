"""Runs an application at an address until it is told to stop."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

_STOP_SECONDS = 30
"""The time that running requests have to end once the server stops."""


def run_application(
    application: FastAPI,
    listener: socket.socket,
    when_ready: Callable[[str], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C, which arrive again at the end.

    Running requests are answered before. New ones are refused.

    Args:
        application: of `make_application`.
        listener: a socket that is bound to an address.
        when_ready: function that is called with the URL once clients can
            connect.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    with listener:
        # They wait for an answer from here on, and are not refused.
        listener.listen(server.config.backlog)
        when_ready(_url(listener))
        server.run(sockets=[listener])


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"
