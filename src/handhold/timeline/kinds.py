"""Every kind of event: what it is called, which element of data it is, in which agency's lane it is drawn.

A leaf. The strings are the contract with the readers of feeds; the element decides, by the agreements, who may be told
that the event happened (its address is an element of its own: see :func:`location_element`).
"""

from dataclasses import dataclass
from types import MappingProxyType

HHS_BASES = frozenset({"discharge", "checkin"})


@dataclass(frozen=True)
class Kind:
    """One kind of event. ``details`` are the codes its detail may carry, beside what every event has."""

    element: str
    words: str
    owner_lane: str
    details: tuple[str, ...] = ()


def _ero() -> dict[str, Kind]:
    return {
        "apprehended": Kind("child.custody", "apprehended", "ERO"),
        "determined": Kind("child.custody", "found to be an unaccompanied child", "ERO"),
        "transferred": Kind("child.custody", "passed to ORR's custody", "ERO", ("aor",)),
        "charging-document-issued": Kind("child.case", "charging document issued", "ERO", ("basis",)),
        "charging-document-served": Kind("child.case", "charging document served", "ERO", ("on",)),
        "charging-document-filed": Kind(
            "child.case", "charging document filed with the court", "ERO", ("basis",)
        ),
        "charging-document-held": Kind("child.case", "charging document held back", "ERO", ("reason",)),
        "address-stated": Kind("child.location", "address stated", "ERO", ("basis",)),
        "missed-hearing-noted": Kind("child.case", "failure to appear noted", "ERO"),
        "case-status": Kind("child.case", "case status stated", "ERO", ("status",)),
    }


def _orr() -> dict[str, Kind]:
    return {
        "admitted": Kind("child.custody", "admitted to a programme", "ORR", ("program", "level")),
        "left-program": Kind("child.custody", "left a programme", "ORR", ("to",)),
        "discharged": Kind(
            "child.custody",
            "discharged from ORR's care",
            "ORR",
            ("type", "category", "relationship", "prs", "home_study", "sponsor_ref", "family"),
        ),
        "told-dhs": Kind("child.custody", "DHS told of the release", "ORR"),
        "contact-attempted": Kind(
            "child.contact",
            "contact attempted",
            "ORR",
            (
                "due",
                "attempt",
                "channel",
                "outcome",
                "with_sponsor",
                "address_confirmed",
                "eoir33",
                "in_school",
                "knows_hearing",
                "safety",
            ),
        ),
        "concern-raised": Kind("child.concern", "concern raised", "ORR", ("category", "by", "status")),
        "concern-acted": Kind("child.concern", "concern acted on", "ORR", ("rfa",)),
        "incident": Kind("child.incident", "incident", "ORR", ("category",)),
        "absence-began": Kind("child.incident", "left without permission", "ORR"),
        "police-told": Kind("child.incident", "police told of the absence", "ORR"),
        "ncmec-told": Kind(
            "child.incident", "missing-children centre told of the absence", "ORR", ("number",)
        ),
        "ice-told": Kind("child.incident", "ICE told of the absence", "ORR"),
        "child-found": Kind("child.incident", "child found", "ORR"),
    }


def _eoir() -> dict[str, Kind]:
    case = ("case_type", "nat", "lang", "custody", "priority", "juvenile", "c_asy_type", "address_changed")
    return {
        "case-seen": Kind("child.case", "court case seen", "EOIR", case),
        "proceeding-opened": Kind("child.case", "proceeding opened", "EOIR", ("osc", "case_type")),
        "case-completed": Kind(
            "child.case",
            "proceeding completed",
            "EOIR",
            ("dec", "other", "absentia", "dec_type", "case_type"),
        ),
        "hearing-scheduled": Kind("child.case", "hearing scheduled", "EOIR", ("cal", "type", "time")),
        "hearing-held": Kind("child.case", "hearing held or adjourned", "EOIR", ("reason", "cal")),
        "missed-hearing": Kind("child.case", "failure to appear", "EOIR", ("pattern", "reason")),
        "notice-mailed": Kind("child.case", "hearing notice mailed", "EOIR", ("code",)),
        "notice-returned": Kind("child.case", "hearing notice came back", "EOIR"),
        "counsel-entered": Kind("counsel", "counsel entered", "EOIR", ("level",)),
    }


def _opla() -> dict[str, Kind]:
    return {
        "court-file": Kind(
            "child.case",
            "court file as the attorneys keep it",
            "OPLA",
            ("disposition", "docket", "fta", "next_hearing"),
        ),
        "absentia-order-noted": Kind("child.case", "order in absentia noted", "OPLA"),
        "case-closed": Kind("child.case", "case closed", "OPLA", ("disposition",)),
    }


def _uscis() -> dict[str, Kind]:
    return {
        "benefit-filed": Kind("benefit.existence", "benefit requested", "USCIS", ("first",)),
        "benefit-decided": Kind("benefit.existence", "benefit decided", "USCIS", ("granted",)),
    }


def _dol() -> dict[str, Kind]:
    return {
        "labour-action": Kind("child.concern", "labour investigators acted", "DOL", ("action", "referral")),
    }


def _handhold() -> dict[str, Kind]:
    return {
        "gap-opened": Kind("child.accounted", "gap opened", "HANDHOLD", ("gap", "kind", "reason")),
        "gap-closed": Kind("child.accounted", "gap closed", "HANDHOLD", ("gap", "kind", "reason")),
        "labour-referred": Kind(
            "child.concern", "labour concern referred to investigators", "HANDHOLD", ("referral",)
        ),
        "linked": Kind("child.accounted", "file linked to this child", "HANDHOLD", ("files",)),
        "separated": Kind("child.accounted", "file separated from this child", "HANDHOLD", ("files",)),
        "told": Kind("child.accounted", "agency told", "HANDHOLD", ("recipient", "about", "kind")),
        "received": Kind("child.accounted", "notice received", "HANDHOLD", ("recipient", "about", "kind")),
        "acknowledged": Kind(
            "child.accounted", "notice acknowledged", "HANDHOLD", ("recipient", "about", "kind")
        ),
        "step-set": Kind("child.accounted", "follow-up step set", "HANDHOLD", ("step", "name")),
        "step-done": Kind("child.accounted", "follow-up step done", "HANDHOLD", ("step", "name")),
        "step-lapsed": Kind("child.accounted", "follow-up step lapsed", "HANDHOLD", ("step", "name")),
        "reason-decided": Kind(
            "child.accounted", "reason decided by a person", "HANDHOLD", ("about", "kind", "code")
        ),
        "corrected": Kind("child.accounted", "earlier statement corrected", "HANDHOLD", ("about",)),
    }


KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    _ero() | _orr() | _eoir() | _opla() | _uscis() | _dol() | _handhold()
)


def location_element(kind: str, detail: dict[str, object]) -> str:
    """The element to which an event's address belongs: what HHS said is guarded more closely than what others said."""
    from_hhs = kind in ("discharged", "contact-attempted") or detail.get("basis") in HHS_BASES
    return "child.hhs-location" if from_hhs else "child.location"


# Details that say more than the event itself: to name them is to name another element. A value of None means any value.
DETAIL_ELEMENTS: tuple[tuple[str, str, str | None, str], ...] = (
    ("discharged", "category", None, "sponsor.status"),
    ("discharged", "relationship", None, "sponsor.status"),
    ("discharged", "sponsor_ref", None, "sponsor.identity"),
    ("discharged", "home_study", None, "sponsor.status"),
    ("charging-document-held", "reason", "uscis", "benefit.existence"),
    ("charging-document-issued", "basis", "uscis", "benefit.existence"),
    ("case-status", "status", "RELIEF", "benefit.existence"),
    ("case-seen", "c_asy_type", None, "benefit.existence"),
)
# What is sealed beside an event, by class: the element of each of its parts ("*": of all others).
SEALED_ELEMENTS: dict[str, dict[str, str]] = {
    "benefit": {"*": "benefit.content"},
    "clinical": {"*": "child.concern-text"},
    "sponsor": {"phone": "sponsor.contact", "other_phone": "sponsor.contact", "*": "sponsor.identity"},
}
