"""Serving the pages: gunicorn with WhiteNoise, on this machine's own address unless told otherwise."""

import os
import sys
from datetime import datetime
from typing import NoReturn

from gunicorn.app.base import BaseApplication

from handhold import store
from handhold.web import clock, listening, setup


class Pages(BaseApplication):
    """gunicorn without its command line."""

    def __init__(self, options: dict[str, object]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Hand our options over."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        """The application, loaded in each worker so that no database connection is shared between them."""
        from handhold.web.wsgi import application

        return application


def serve(port: int, workers: int = 2, *, now: datetime | None = None, host: str = listening.HOST) -> None:
    """Serve until interrupted. ``now`` holds the pages' clock still at one moment, for a demonstration.

    Raises :class:`listening.CannotListen`.
    """
    listening.must_be_free(port, host)
    if now is not None:
        os.environ[clock.HELD] = now.isoformat()
    os.environ.setdefault("DATABASE_URL", store.dsn())  # workers ask for nothing that the parent has started
    setup.prepare()
    _warm()
    store.close()
    _disconnect()
    Pages(
        {
            "bind": f"{host}:{port}",
            "workers": workers,
            "threads": 4,
            "worker_class": "gthread",
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "handhold",
            "timeout": 120,
            "control_socket_disable": True,
            "when_ready": lambda _server: _announce(host, port),
        }
    ).run()


def _announce(host: str, port: int) -> None:
    """Said when somebody listens, not before."""
    sys.stdout.write(f"Pages on http://{host}:{port} (Ctrl-C stops them)\n")
    sys.stdout.flush()


def become(port: int, *, now: datetime) -> NoReturn:
    """Serve from a program that begins anew in the place of this one.

    Workers are forked, and one forked from a process that has worked with Polars waits for threads that are not there.
    """
    os.environ[clock.HELD] = now.isoformat()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "handhold", "serve", "--port", str(port)])  # noqa: S606


def _warm() -> None:
    """Compile the agreements once, here: the workers are forked from this process and find them compiled."""
    from handhold.web import session

    session.table()


def _disconnect() -> None:
    from django.db import connections

    connections.close_all()
