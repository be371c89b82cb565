"""Takes an address of this machine for a server."""

import socket


def bind(host: str, port: int) -> socket.socket:
    """Takes an address; clients are refused until the socket listens.

    Args:
        host: string, a name or an address.
        port: integer, or 0 for one that is free.

    Raises:
        OSError: if the address is not free, or is none of this machine.
    """
    try:
        # `socket.create_server` would listen, and clients wait for the model.
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OSError(
            "`host` and `port` must be an address of this machine that no "
            "other process has; port 0 takes one that is free. "
            f"Received: host={host}, port={port}: {error}"
        ) from error
    return listener
