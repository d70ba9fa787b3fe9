"""Pages of a list, by number, without counting the whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

SIZE = 25
LAST = 10_000


@dataclass(frozen=True)
class Part:
    """One page of a list: its rows, its number, and whether there is one after it."""

    rows: list[dict[str, Any]]
    number: int
    more: bool
    query: str  # the other parameters of the address, to be kept in links

    @property
    def before(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The number of the page after."""
        return self.number + 1


def part(request: HttpRequest, rows: Callable[[int, int], list[dict[str, Any]]], size: int = SIZE) -> Part:
    """The page that the address asks for; ``rows(limit, offset)`` is asked for one row more than is shown."""
    number = number_of(request)
    found = rows(size + 1, (number - 1) * size)
    others = request.GET.copy()
    others.pop("page", None)
    return Part(found[:size], number, len(found) > size, others.urlencode())


def number_of(request: HttpRequest) -> int:
    """The page's number, from 1; nonsense in the address is the first page."""
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), LAST) if text.isdecimal() and len(text) < 9 else 1
