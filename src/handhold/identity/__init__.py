"""Whose file is it: descriptions, candidates, links with their evidence, and what people decide."""

from handhold.identity.again import Again, again
from handhold.identity.agreement import Agreement, Interval, agreement, wilson
from handhold.identity.compare import Engine, compare
from handhold.identity.describe import Ready, describe, ready
from handhold.identity.engine import ENGINES
from handhold.identity.explain import Bar, Waterfall, explain
from handhold.identity.judgement import (
    JUDGEMENTS,
    NoJudgement,
    NoSuchFile,
    Person,
    children_of,
    decide,
    doubts,
    files_of,
    hold,
    names,
    questions,
    resolve,
    said_of,
    separate,
    withdraw,
)
from handhold.identity.link import Identified, identify
from handhold.identity.model import Candidate, ModelError, adopt, models, rules, scale, scale_of, train
from handhold.identity.night import night
from handhold.identity.parting import pair
from handhold.identity.retell import redescribe
from handhold.identity.review import (
    NoReview,
    SamePerson,
    answer_review,
    draw_again,
    draw_linked,
    next_review,
    proposal,
    propose,
    review,
    said_twice,
)
from handhold.identity.unlink import forward, unlink

__all__ = [
    "ENGINES", "JUDGEMENTS", "Again", "Agreement", "Bar", "Candidate", "Engine", "Identified", "Interval", "ModelError", "NoJudgement", "NoReview", "NoSuchFile", "Person", "Ready", "SamePerson",
    "Waterfall", "adopt", "again", "agreement", "answer_review", "children_of", "compare", "decide", "describe", "doubts", "draw_again", "draw_linked", "explain",
    "files_of", "forward", "hold", "identify", "models", "names", "next_review", "night", "pair", "proposal", "propose", "questions", "ready", "redescribe", "resolve", "review", "rules", "said_of",
    "said_twice", "scale", "scale_of", "separate", "train", "unlink", "wilson", "withdraw",
]  # fmt: skip
