"""Which children come into view: the same closed list of predicates for one child and as a database filter."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from handhold import pack as packs
from handhold import store
from handhold.access.agreements import AgreementError, words
from handhold.access.session import Reader
from handhold.access.table import compiled, elements

Db = psycopg.Connection[Any]
NOBODY = "(false)"

# ``{column}`` is the child's id in the query that is filtered. No other predicates exist; a pack names one of them.
PREDICATES = {
    "all": "(true)",
    "none": NOBODY,
    "caseload": (
        "({column} in (select child from access_caseload where agency = %(scope_agency)s and until is null"
        " and person in ('', %(scope_person)s)))"
    ),
}


def scope(
    reader: Reader, pack: packs.Pack | None = None, *, column: str = "child"
) -> tuple[str, dict[str, Any]]:
    """A SQL condition, with its parameters, that holds for the children this reader may look at.

    ``column`` is the (trusted) name of the child's id. Nobody is in view of a reader to whom no element is permitted.
    """
    known = pack or packs.load()
    by_role = {(role.agency, role.name): role for role in words(known).roles}
    role = by_role.get((reader.agency, reader.role))
    if role is None or reader.purpose not in role.purposes or not elements(compiled(known), reader):
        return NOBODY, {}
    if role.scope not in PREDICATES:
        raise AgreementError(
            f"roles.toml: scope {role.scope!r} of {role.name}; there are {', '.join(PREDICATES)}"
        )
    if role.scope != "caseload":
        return PREDICATES[role.scope], {}
    return PREDICATES["caseload"].format(column=column), {
        "scope_agency": reader.agency,
        "scope_person": reader.person,
    }


def in_view(db: Db, reader: Reader, child: int, pack: packs.Pack | None = None) -> bool:
    """Whether one child is in view: the filter of :func:`scope`, asked of a batch of one."""
    condition, params = scope(reader, pack)
    query = f"select 1 from (select %(child)s::bigint as child) as one where {condition}"  # noqa: S608 closed list
    return bool(store.fetch(db, query, params | {"child": child}))


def assign(
    db: Db,
    children: Iterable[int] | pl.Series,
    *,
    agency: str,
    by: str,
    why: str,
    now: datetime,
    person: str = "",
) -> None:
    """Put children into the caseload of an agency, or of one person of it. Again changes nothing."""
    db.execute(
        """insert into access_caseload (child, agency, person, since, granted_by, why)
           select child, %s, %s, %s, %s, %s from unnest(%s::bigint[]) as child
           on conflict (child, agency, person) do update set until = null where access_caseload.until is not null""",
        [agency, person, now, by, why, list(children)],
    )


def release(
    db: Db, children: Iterable[int] | pl.Series, *, agency: str, now: datetime, person: str = ""
) -> None:
    """Take children out of a caseload; that they were in it stays."""
    db.execute(
        "update access_caseload set until = %s where agency = %s and person = %s and until is null and child = any(%s)",
        [now, agency, person, list(children)],
    )
