"""The agencies' side: notices, steps, keys for machines."""

from datetime import datetime

import click

from handhold import access, casework, followup, ledger, notices, pack, store
from handhold.cli.common import ID, OUT, SOME, Agency, by_option, handhold, now_option, office, ready
from handhold.cli.show import print_changes, print_rows


@handhold.group()
def token() -> None:
    """Keys for machines that use the interface (/api/v1)."""


@token.command("make")
@click.argument("role")
@click.argument("purpose")
@by_option
@now_option
def token_make(role: str, purpose: str, by: str, now: datetime) -> None:
    """Make a key for ROLE and PURPOSE; its secret is shown this once and is nowhere else."""
    ready(None)
    with ledger.acting_transaction(by) as db:
        made, secret = access.tokens.make(db, role=role, purpose=purpose, by=by, now=now, pack=pack.load())
        ledger.write(
            db,
            by=by,
            verb="token.made",
            thing="token",
            ids=[made.id],
            at=now,
            agency=made.agency,
            purpose=purpose,
        )
    OUT.print(
        f"token {made.id} speaks for {made.agency}, role {made.role}, purpose {made.purpose}. Its secret, shown once:"
    )
    OUT.print(secret, markup=False)


@token.command("list")
def token_list() -> None:
    """List the keys, without their secrets."""
    ready(None)
    with store.transaction() as db:
        print_rows("tokens", access.tokens.listed(db))


@token.command("revoke")
@click.argument("token", type=ID)
@by_option
@now_option
def token_revoke(token: int, by: str, now: datetime) -> None:
    """Let TOKEN hold no longer, from this moment."""
    ready(None)
    with ledger.acting_transaction(by) as db:
        access.tokens.revoke(db, token, now=now)
        ledger.write(db, by=by, verb="token.revoked", thing="token", ids=[token], at=now)
    OUT.print(f"token {token} holds no longer")


@handhold.command("notices")
@click.argument("agency", type=Agency())
@click.option("--limit", default=20, show_default=True, type=SOME)
@now_option
def notices_(agency: str, limit: int, now: datetime) -> None:
    """List the notices that wait in AGENCY's inbox."""
    ready(None)
    with store.transaction() as db:
        rows = notices.inbox(db, agency, now=now, limit=limit, offset=0)
    shown = ("id", "title", "child", "purpose", "agreement", "sent", "due", "corrects")
    print_rows(f"notices to {agency}", [{name: row[name] for name in shown} for row in rows])


@handhold.command()
@click.argument("notice", type=ID)
@click.option("--agency", required=True, type=Agency(), help="The agency that was told.")
@by_option
@now_option
def acknowledge(notice: int, agency: str, by: str, now: datetime) -> None:
    """Say that AGENCY has taken NOTICE in; what waited for that closes."""
    ready(None)
    print_changes(casework.acknowledge(notice, agency, office(now, by=by)))


@handhold.group()
def step() -> None:
    """Follow-up: what somebody has to do, and saying that it is done."""


@step.command("list")
@click.argument("agency", type=Agency())
@click.argument("role")
@click.option("--limit", default=20, show_default=True, type=SOME)
@now_option
def step_list(agency: str, role: str, limit: int, now: datetime) -> None:
    """List what ROLE of AGENCY has to do, soonest due first."""
    ready(None)
    with store.transaction() as db:
        rows = followup.worklist(db, agency, role, now=now, limit=limit)
    shown = ("id", "name", "words", "child", "due", "late", "evidence_needed")
    print_rows(f"steps of {agency}/{role}", [{name: row[name] for name in shown} for row in rows])


@step.command("done")
@click.argument("number", metavar="STEP", type=ID)
@click.argument("evidence")
@by_option
@now_option
def step_done(number: int, evidence: str, by: str, now: datetime) -> None:
    """Say that STEP is done, and which of the codes it accepts shows it (EVIDENCE)."""
    ready(None)
    print_changes(casework.complete_step(number, evidence, office(now, by=by)))
