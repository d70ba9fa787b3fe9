"""Serving the pages: gunicorn with WhiteNoise, on this machine's own address unless told otherwise."""

import os
from datetime import datetime

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
        }
    ).run()


def _disconnect() -> None:
    from django.db import connections

    connections.close_all()
