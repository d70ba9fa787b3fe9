"""Whose file is it: descriptions, candidates, links with their evidence, and what people decide."""

from handhold.identity.describe import describe
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
from handhold.identity.link import Identified, identify
from handhold.identity.retell import redescribe
from handhold.identity.unlink import forward, unlink

__all__ = [
    "JUDGEMENTS", "Identified", "NoSuchFile", "Person", "children_of", "decide", "describe", "doubts", "files_of", "forward", "identify", "names",
    "questions", "redescribe", "resolve", "separate", "unlink",
]  # fmt: skip
