"""Schemathesis asks the interface everything that its description allows, and much that it does not."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from doors.conftest import Caller

pytestmark = pytest.mark.slow
CHECKS = [
    schemathesis.checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
]  # fmt: skip
EVERY = settings(
    max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None,
)  # fmt: skip


@pytest.fixture
def callers(api: Any, monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    from handhold.web.api import guard

    real = guard.limits
    monkeypatch.setattr(guard, "limits", lambda part: real(part) | {"requests": 1_000_000})
    return [api("coordinator", "safety"), api("steward", "audit"), api("auditor", "audit"), Caller("hh_none")]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_described(callers: list[Caller], mode: GenerationMode) -> None:
    from handhold.web.wsgi import application

    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    asked: Counter[str] = Counter()
    answered: Counter[int] = Counter()

    def ask_all(operation: Any) -> None:
        @EVERY
        @given(case=operation.as_strategy(mode))
        def ask(case: Any) -> None:
            caller = callers[asked.total() % len(callers)]
            asked[operation.label] += 1
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {caller.secret}"}
            response = case.call()
            answered[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        ask()

    for found in schema.get_all_operations():
        ask_all(found.ok())
    assert len(asked) == 4
    assert min(asked.values()) > 5
    assert len(answered) > 3
