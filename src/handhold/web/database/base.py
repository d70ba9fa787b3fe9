"""PostgreSQL as Django knows it, at the address the store uses at that moment (embedded, given, or a test's own)."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg.conninfo import conninfo_to_dict

from handhold import store


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks the store where the database is when a connection is made, so that settings name no address."""

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters with host, user and name taken from :func:`handhold.store.dsn`."""
        self.settings_dict["NAME"] = self.settings_dict["NAME"] or "handhold"
        params = super().get_connection_params()
        params.pop("database", None)
        return {**params, **{k: v for k, v in conninfo_to_dict(store.dsn()).items() if v is not None}}
