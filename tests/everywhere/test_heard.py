"""Parts of a delivery are made ready one behind the reading: in order, all of them, and never past the delivery they are of."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handhold import casework
from handhold.feeds.model import Delivery, Reading

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def delivery(id: int) -> Delivery:
    return Delivery(id, b"", "x.csv", "ero.uc_transfers", "ERO", None, "test", 1, NOW, "read")


def heard(parts: Iterator[Reading]) -> Iterator[Reading]:
    return (part for part, _, _ in casework._made_ready(parts, NOW))


def came(parts: list[Reading]) -> list[int]:
    """Which of them came out: two frames are not simply equal or not."""
    return [id(part) for part in heard(iter(parts))]


def part(of: int) -> Reading:
    return Reading(of=of)


def end(of: int) -> Reading:
    return Reading(deliveries=[delivery(of)], of=of)


def test_all_come_out_in_their_order() -> None:
    parts = [Reading(deliveries=[]), part(1), part(1), part(1), end(1), part(2), end(2), Reading()]
    assert came(parts) == [id(part) for part in parts]


def test_a_part_comes_out_before_the_next_delivery_is_begun() -> None:
    """Written later it would stand in the other delivery's savepoint, and fall with it."""
    begun: list[str] = []

    def reading() -> Iterator[Reading]:
        for of in (1, 2):
            begun.append(f"begun {of}")
            yield part(of)
            yield part(of)
            begun.append(f"ended {of}")
            yield end(of)

    begun.extend(f"written {one.of}" for one in heard(reading()))
    assert begun == [
        line
        for of in (1, 2)
        for line in (f"begun {of}", f"written {of}", f"ended {of}", f"written {of}", f"written {of}")
    ]


def test_what_is_taken_back_before_it_came_out_never_does() -> None:
    first, second, third = part(1), replace(part(1), first=True), part(1)
    back = Reading(of=1, unsaid=True)
    last = end(1)
    assert came([first, second, back, third, last]) == [id(one) for one in (first, back, third, last)]


def test_a_mishap_in_the_making_is_raised_where_the_part_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trips(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(casework.timeline, "stated", trips)
    with pytest.raises(ZeroDivisionError):
        list(heard(iter([part(1), end(1)])))
