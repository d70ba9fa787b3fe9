"""Follow-up: what must be done, by whom, until when."""

from handhold.followup.deadlines import DeadlineError, Due, Span, due, span
from handhold.followup.progress import StepError, complete_step, respond, worklist
from handhold.followup.protocol import Protocol, ProtocolError, Step, parse, protocols, ready

__all__ = [
    "DeadlineError", "Due", "Protocol", "ProtocolError", "Span", "Step", "StepError", "complete_step", "due", "parse", "protocols", "ready",
    "respond", "span", "worklist",
]  # fmt: skip
