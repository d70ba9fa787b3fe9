"""The kinds of event: what the readers write is what the house knows, and every kind has its words and element."""

import re
from pathlib import Path

import handhold
from handhold import access, pack
from handhold.timeline.kinds import DETAIL_ELEMENTS, KINDS, SEALED_ELEMENTS

READERS = Path(handhold.__file__ or "").parent / "feeds" / "reading"


def test_every_element_is_one_that_the_agreements_speak_of() -> None:
    known = set(access.words(pack.load()).elements)
    named = {kind.element for kind in KINDS.values()} | {element for *_, element in DETAIL_ELEMENTS}
    named |= {element for parts in SEALED_ELEMENTS.values() for element in parts.values()}
    assert named <= known


def test_details_that_name_another_element_are_details_of_their_kind() -> None:
    assert all(key in KINDS[kind].details for kind, key, _, _ in DETAIL_ELEMENTS)


def test_what_readers_write_is_known() -> None:
    written = set()
    for module in READERS.glob("*.py"):
        written |= set(re.findall(r'report\(\s*"([a-z-]+)"', module.read_text("utf-8")))
    assert {"discharged", "missed-hearing", "benefit-filed"} <= written
    assert written - KINDS.keys() == set()
