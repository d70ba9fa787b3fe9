"""Asking Cedar: policies are validated first, then every question of the table is put once.

Cedar skips a ``forbid`` that fails to evaluate, and would then allow. So nothing here lets an error decide: a policy
that does not validate, names a thing that is not in ``roles.toml``, or fails on one question refuses the whole pack.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import cedarpy

from handhold.access.agreements import Agreement, AgreementError, Words
from handhold.pack import Pack

SCHEMA = "agreements/schema.json"
Question = tuple[str, str, str, str]  # agency, role, purpose, element (or "element/kind")
Answer = tuple[bool, tuple[str, ...]]  # allowed, and the rules that decided, sorted; none when no rule speaks


def questions(words: Words) -> list[Question]:
    """Every question there is, sensible or not: agency × role × purpose × element."""
    roles = dict.fromkeys(role.name for role in words.roles)
    return [
        (agency, role, purpose, element)
        for agency in words.agencies
        for role in roles
        for purpose in words.purposes
        for element in words.questions()
    ]


def ask(pack: Pack, words: Words, found: Sequence[Agreement], asked: Sequence[Question]) -> list[Answer]:
    """Cedar's answer to each question, under the agreements ``found``. Raises :class:`AgreementError`."""
    policies = "\n".join(agreement.policy for agreement in found)
    schema = _schema(pack)
    entities = cedarpy.Entities.from_json_str(json.dumps(list(_entities(words))), schema=schema)
    requests = [_request(*question) for question in asked]
    results = cedarpy.is_authorized_batch(requests, cedarpy.PolicySet.from_str(policies), entities, schema)
    return [_answer(question, result) for question, result in zip(asked, results, strict=True)]


def check(pack: Pack, words: Words, found: Sequence[Agreement]) -> None:
    """Refuse agreements that do not validate, or whose policy and header do not name the same rules."""
    schema, names = _schema(pack), {name for name, _ in words.resources()}
    known = {"Element": names, "Agency": set(words.agencies), "Role": {role.name for role in words.roles}}
    known["Seat"] = {f"{agency}/{role}" for agency in words.agencies for role in known["Role"]}
    for agreement in found:
        _validate(agreement, schema)
        _check_names(agreement, known)


def _validate(agreement: Agreement, schema: cedarpy.Schema) -> None:
    result = cedarpy.validate_policies(agreement.policy, schema)
    if not result.validation_passed:
        told = "; ".join(str(error) for error in result.errors)
        raise AgreementError(f"agreements/{agreement.name}.cedar does not validate: {told}")


def _check_names(agreement: Agreement, known: dict[str, set[str]]) -> None:
    parsed = json.loads(cedarpy.policies_to_json_str(agreement.policy))["staticPolicies"]
    effects = {
        (policy.get("annotations", {}).get("id"), policy["effect"] == "permit") for policy in parsed.values()
    }
    listed = {(rule.name, rule.permits) for rule in agreement.rules}
    if effects != listed:
        odd = ", ".join(sorted(str(name) for name, _ in effects ^ listed))
        raise AgreementError(
            f"agreements/{agreement.name}: policy and header do not name the same rules ({odd}); write both"
        )
    for kind, name in _named(parsed):
        if kind in known and name not in known[kind]:
            raise AgreementError(
                f"agreements/{agreement.name}.cedar names {kind} {name!r}, which roles.toml does not have"
            )


def _named(part: Any) -> Iterator[tuple[str, str]]:
    """Every entity a parsed policy mentions: Cedar's validator does not mind one that does not exist."""
    if isinstance(part, dict):
        if set(part) == {"type", "id"}:
            yield part["type"], part["id"]
        for inner in part.values():
            yield from _named(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner)


def _schema(pack: Pack) -> cedarpy.Schema:
    try:
        return cedarpy.Schema.from_json_str(pack.text(SCHEMA))
    except ValueError as error:
        raise AgreementError(f"{SCHEMA} is not a Cedar schema ({error}); correct the file") from None


def _entities(words: Words) -> Iterator[dict[str, Any]]:
    roles = dict.fromkeys(role.name for role in words.roles)
    yield from (_entity("Agency", agency) for agency in words.agencies)
    yield from (_entity("Role", role) for role in roles)
    for agency in words.agencies:
        yield from (_entity("Seat", f"{agency}/{role}", ("Agency", agency), ("Role", role)) for role in roles)
    for name, parent in words.resources():
        yield _entity("Element", name, *([("Element", parent)] if parent else []))


def _entity(kind: str, name: str, *parents: tuple[str, str]) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": name},
        "attrs": {},
        "parents": [{"type": t, "id": i} for t, i in parents],
    }


def _request(agency: str, role: str, purpose: str, element: str) -> dict[str, Any]:
    return {
        "principal": {"type": "Seat", "id": f"{agency}/{role}"},
        "action": {"type": "Action", "id": purpose},
        "resource": {"type": "Element", "id": element},
        "context": {},
    }


def _answer(question: Question, result: cedarpy.AuthzResult) -> Answer:
    told = result.diagnostics
    if told.errors or result.decision == cedarpy.Decision.NoDecision:
        raise AgreementError(
            f"agreements: Cedar failed on {'/'.join(question)} ({told.errors}); nothing starts until it does not"
        )
    named = told.id_annotations_by_reason
    return result.allowed, tuple(sorted(named[reason] for reason in told.reasons))
