"""Getting Django ready inside another program (the command line, a test, a worker)."""

import os


def django() -> None:
    """Load Django with this room's settings; once is enough, more is harmless."""
    import django as framework
    from django.apps import apps

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handhold.web.settings")
    if not apps.ready:
        framework.setup()


def prepare() -> None:
    """Bring the tables of people, sessions and lockouts up to date; two processes at once wait for one another."""
    django()
    from django.core.management import call_command

    from handhold import store

    with store.transaction() as db:
        store.lock(db, "web.prepare")
        call_command("migrate", verbosity=0, interactive=False)
