"""Runs an application at an address until it is told to stop."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

# The time that running requests have to end once the server stops.
_STOP_SECONDS = 30


def run_application(
    application: FastAPI,
    listener: socket.socket,
    when_ready: Callable[[str], None],
) -> None:
    """Serves until SIGTERM or Ctrl-C.

    New connections are then refused, running requests are answered, and the
    signal is raised again.

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
        # From here on clients can connect. They wait until the server runs.
        listener.listen(server.config.backlog)
        when_ready(_url(listener))
        server.run(sockets=[listener])


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"
