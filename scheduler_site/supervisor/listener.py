"""The listening socket. It outlives every web process, so a connection made while one restarts
waits instead of being refused."""

import errno
import socket

BACKLOG = 2048


class PortTaken(Exception):
    """Another process listens there."""


def open_listener(host: str, port: int) -> socket.socket:
    """A listening TCP socket; raises ``PortTaken`` or another ``OSError``."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken from error
        raise
    return listener
