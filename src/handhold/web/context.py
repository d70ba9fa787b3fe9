"""What every page shows: who looks for which purpose, the menu, how fresh the data is, and whether it is synthetic."""

from typing import Any

from django.http import HttpRequest

from handhold import store
from handhold.oversight import lists
from handhold.web import clock, session


def page(request: HttpRequest) -> dict[str, Any]:
    """The frame around a page; before sign-in only the synthetic mark."""
    with store.transaction() as db:
        frame = {
            "synthetic": bool(store.setting(db, "synthetic")),
            "now": clock.now(),
            "held": clock.held() is not None,
        }
        reader = getattr(request, "reader", None)
        if reader is None:
            return frame
        menu = session.pages(reader.role)
        return {
            **frame,
            "reader": reader,
            "menu": menu,
            "freshness": lists.freshness(db),
            "unread": _unread(db, reader, menu),
        }


def _unread(db: store.Db, reader: Any, menu: dict[str, str]) -> int | None:
    return lists.notices_waiting(db, reader.agency) if "notices" in menu else None
