"""Whether the pages can be served where they are asked for: asked before long work, not after it."""

import errno
import socket

HOST = "127.0.0.1"


class CannotListen(Exception):
    """The pages cannot be served there: the message says what is in the way and what to do."""


def must_be_free(port: int, host: str = HOST) -> None:
    """Raises :class:`CannotListen` when nobody can listen on ``host:port``."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: a port just left is free
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotListen(_sentence(error, port)) from None


def _sentence(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken by another program; choose another one with --port, or stop that program"
        )
    if error.errno == errno.EACCES:
        return f"port {port} is for root only; choose one from 1024 on with --port"
    return f"port {port} cannot be listened on ({error.strerror}); choose another one with --port"
