"""The timeline: what happened to a child, who says so, since when and until when."""

from handhold.timeline import kinds
from handhold.timeline.kinds import KINDS, Kind
from handhold.timeline.record import AGENCY as OWN_AGENCY
from handhold.timeline.record import OwnEvent, Recorded, add, record, stated
from handhold.timeline.restate import restate
from handhold.timeline.stream import stream
from handhold.timeline.tell import Told, Withheld, tell

__all__ = [
    "KINDS",
    "OWN_AGENCY",
    "Kind",
    "OwnEvent",
    "Recorded",
    "Told",
    "Withheld",
    "add",
    "kinds",
    "record",
    "restate",
    "stated",
    "stream",
    "tell",
]
