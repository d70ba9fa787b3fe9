"""The files that are new today, when they are few: found, joined and written in as few round trips as there must be.

A file that comes alone waits longer for the database's answers than for its work. What is decided, and how, is in
:mod:`handhold.identity.few`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import psycopg

from handhold import store
from handhold.identity import few
from handhold.identity.asking import Asked, ask
from handhold.identity.candidates import BETWEEN, CROWD, NUMBERS
from handhold.identity.compare import Scale, hundredths
from handhold.identity.judgement import settle, unborne
from handhold.identity.partition import EVERY_CHILD
from handhold.identity.spec import NAMES as TRAITS

Codes = dict[str, dict[str, str]]  # how agencies write countries and languages: ``model.codes``
NUMBERED = frozenset(NUMBERS)
ALWAYS = NUMBERED | {"name"}  # files that share one of these are compared, whatever is settled
FRESH = """
    select f.id, f.agency, f.child, f.hold, array_agg(d.id), array_agg(d.sealed)
    from (select id, agency, child, hold from identity_file where fresh limit %s) f
    left join identity_description d on d.file = f.id and not d.withdrawn group by 1, 2, 3, 4"""
# The fresh files and those that any of the keys finds, unless a crowd shares it: by a key that is always compared, or by any
# where all are wanted or their child lacks a file. With the other files of their children; the keys found, what those found say,
# and whether they said otherwise before; with which files persons judged each; and about which fresh ones a question waits (one
# by one: "exists" would read all questions that wait).
AROUND = f"""
    with looked as (
        select key, true as always from unnest(%s::bigint[]) key union all select key, false from unnest(%s::bigint[]) key),
    met as (
        select met.file as id, array_agg(looked.key) as keys, bool_or(looked.always) as always from looked
        cross join lateral (
            select array_agg(k.file) as files from (select file from identity_key where key = looked.key limit {CROWD + 1}) k) found
        cross join lateral unnest(found.files) met (file) where cardinality(found.files) <= {CROWD} group by met.file),
    children as (
        select f.child from met join identity_file f using (id) where f.child is not null and (
            met.always or %s or not array(select g.agency from identity_file g where g.child = f.child) @> '{{{",".join(EVERY_CHILD)}}}')
        union select child from identity_file where fresh and child is not null)
    select f.id, f.agency, f.child, f.hold, met.keys, said.changed, said.ids, said.sealed,
        (select array_agg(array[j.file_b::text, j.judgement]) from identity_judgement j where j.until is null and j.file_a = f.id),
        f.fresh and coalesce((select true from identity_question q where q.closed is null and q.file_a = f.id limit 1),
            (select true from identity_question q where q.closed is null and q.file_b = f.id limit 1), false)
    from (select id, agency, child, fresh, hold from children join identity_file using (child)
          union all select id, agency, child, fresh, hold from identity_file where fresh and child is null) f
    left join met using (id)
    left join lateral (
        select bool_or(d.withdrawn) as changed, array_agg(d.id) filter (where not d.withdrawn) as ids,
            array_agg(d.sealed) filter (where not d.withdrawn) as sealed
        from identity_description d where d.file = met.id and not f.fresh) said on true"""  # noqa: S608
SAYING = "select file, array_agg(id), array_agg(sealed) from identity_description where file = any(%s) and not withdrawn group by file"
LINK = """
    with link as (select %s::bigint as file, %s::bigint as child, %s as linked_by, %s::real as probability, %s::timestamptz as since),
    born as (insert into identity_child (id, born) select child, since from link on conflict (id) do nothing),
    drawn as (
        insert into identity_link (file, child, judgement, linked_by, probability, evidence, by, since)
        select file, child, 'match', linked_by, probability, %s::jsonb, %s, since from link)
    update identity_file f set child = l.child, linked_by = l.linked_by, probability = l.probability, since = l.since, fresh = false
    from link l where f.id = l.file"""


def fresh(db: store.Db) -> psycopg.Cursor[Any]:
    """Ask for the fresh files with what they say, sealed; of many, for one more than :data:`few.FEW`."""
    return db.execute(FRESH, [few.FEW + 1])


def opened(rows: Iterable[tuple[Any, ...]], written: Codes) -> dict[int, few.File]:
    """The files of such an answer."""
    files = {}
    for id, agency, child, hold, ids, sealed in rows:
        said = _heard(ids, sealed, written)
        files[id] = few.File(id, agency, child, True, hold, said, few.keys(said))
    return files


def join(
    db: store.Db, fresh: dict[int, few.File], rules: Scale, *, by: str, now: datetime, written: Codes
) -> tuple[list[few.Link], list[few.Doubt], int]:
    """Link a few fresh files and ask what is unsure: the links, the doubts, and how many questions are new."""
    around = _Around(db, fresh, written)
    files = around.files()
    found = few.partition(files, rules, around.look, around.rest)
    made = few.links(files, found, partial(unborne, db))
    child = {id: file.child for id, file in files.items()} | {link.file: link.child for link in made}
    _write(db, made, rules, by, now)
    doubts = few.doubts(files, found, child, rules)
    asked = ask(db, [_asked(doubt, rules) for doubt in doubts], now=now)
    if around.waits:
        settle(db, by=by, now=now, files=[link.file for link in made])
    return made, doubts, asked


class _Around:
    """Files that a few fresh ones may be one child's with, in as few questions to the database as there must be.

    Most files have a number by which they find a child that has all its files: then what else is born that day or lives in that
    house is never compared, and is not asked for.
    """

    def __init__(self, db: store.Db, fresh: Mapping[int, few.File], written: Codes) -> None:
        self._db, self._fresh, self._written = db, fresh, written
        plain = {key for file in fresh.values() for key in file.met or ()}
        blinded = store.blind_all((BETWEEN.join(key) for key in plain), "identity-key")
        self._keys = dict(zip(blinded, plain, strict=True))
        self._all = any(NUMBERED.isdisjoint(kind for kind, _ in file.met or ()) for file in fresh.values())
        self._sealed: dict[int, tuple[list[int | None], list[bytes]]] = {}
        self.waits = False
        """Whether a question waits about a fresh file."""

    def files(self) -> dict[int, few.File]:
        """The fresh ones, those that they meet to begin with, and the other files of their children.

        One that said otherwise before may have been found by that: what it shares now is to be found out.
        """
        always, others = store.Ids(), store.Ids()
        for key, (kind, _) in self._keys.items():
            (always if kind in ALWAYS else others).append(key)
        found = {}
        for row in self._db.execute(AROUND, [always, others, self._all]):
            id, agency, child, hold, met, changed, ids, sealed, judged, waits = row
            words = tuple((int(other), how) for other, how in judged or ())
            if id not in self._fresh and child is None:
                continue  # it came meanwhile, and is linked next
            if id in self._fresh:
                self.waits |= waits
                found[id] = self._fresh[id]._replace(judged=words)
                continue
            if ids is not None:
                self._sealed[id] = ids, sealed
            shares = None if changed else frozenset(self._keys[key] for key in met or ())
            found[id] = few.File(id, agency, child, False, hold, None, shares, words)
        return found

    def rest(self) -> dict[int, few.File]:
        """All that any key finds: nothing more where that was asked for in the beginning."""
        if self._all:
            return {}
        self._all = True
        return self.files()

    def look(self, files: list[int]) -> dict[int, few.Told]:
        """What these files say now."""
        unknown = [file for file in files if file not in self._sealed]
        if unknown:
            self._sealed |= dict.fromkeys(unknown, ([], []))
            said = self._db.execute(SAYING, [store.Ids(unknown)])
            self._sealed |= {file: (ids, sealed) for file, ids, sealed in said}
        return {file: _heard(*self._sealed[file], self._written) for file in files}


def _heard(ids: list[int | None], sealed: list[bytes], written: Codes) -> few.Told:
    """What the descriptions of a file say, in the clear; in the order of their ids, as columns have them."""
    said = [
        orjson.loads(store.unseal("identity", f"identity_description.sealed.{id}", blob))
        for id, blob in sorted(zip(ids, sealed, strict=True))
        if id is not None
    ]
    return few.profiles(said, written)


def _write(db: store.Db, made: list[few.Link], rules: Scale, by: str, now: datetime) -> None:
    """Keep the children and the links that are new, in one round trip."""
    new = [link for link in made if link.had is None]
    had = [link.file for link in made if link.had is not None]
    with db.pipeline():
        for link in new:
            numbered = link.through is None or (
                link.weighed is not None and "same" in link.weighed.levels[:2]
            )
            how = "number" if numbered else "match"
            bits = link.weighed.weight if link.weighed else 0.0
            sure = 1.0 if link.through is None else 1 / (1 + 2.0**-bits)
            told = orjson.dumps(_told(link, rules)).decode()
            db.execute(LINK, [link.file, link.child, how, sure, now, told, by])
        if had:
            db.execute("update identity_file set fresh = false where id = any(%s)", [had])


def _asked(doubt: few.Doubt, rules: Scale) -> Asked:
    told = {"gate": doubt.weighed.gate, "why": doubt.why, **_weighed(doubt.weighed, rules)}
    evidence = orjson.dumps(told).decode()
    return Asked((doubt.a, doubt.b), doubt.children, doubt.reason, doubt.weighed.weight, evidence)


def _told(link: few.Link, rules: Scale) -> dict[str, Any]:
    """The evidence of a link; see ``link._evidence``."""
    if link.through is None:
        return {}
    return {"through": link.through, "with": link.mate, **_weighed(link.weighed, rules)}


def _weighed(w: few.Weighed | None, rules: Scale) -> dict[str, Any]:
    """The same as ``link._bits``."""
    by = {"model": rules.version, "rules": rules.ruled}
    if w is None:
        nothing = {"surname": None, "given": None}
        return {**by, "weight": None, "rarity": nothing, **dict.fromkeys(TRAITS)}
    rarity = {"surname": hundredths(w.surname_rare), "given": hundredths(w.given_rare)}
    levels = dict(zip(TRAITS, w.levels, strict=True))
    return {**by, "weight": hundredths(w.weight), "rarity": rarity, **levels}
