"""Whose file is it: descriptions, candidates, links with their evidence, and what people decide."""

from handhold.identity.describe import describe
from handhold.identity.explain import Bar, Waterfall, explain
from handhold.identity.judgement import (
    JUDGEMENTS,
    NoSuchFile,
    Person,
    children_of,
    decide,
    doubts,
    files_of,
    names,
    questions,
    resolve,
    separate,
)
from handhold.identity.link import Identified, identify, scale
from handhold.identity.retell import redescribe
from handhold.identity.unlink import forward, unlink

__all__ = [
    "JUDGEMENTS", "Bar", "Identified", "NoSuchFile", "Person", "Waterfall", "children_of", "decide", "describe", "doubts", "explain",
    "files_of", "forward", "identify", "names", "questions", "redescribe", "resolve", "scale", "separate", "unlink",
]  # fmt: skip
