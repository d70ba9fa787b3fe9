"""Places that children of several families share: computed over all children at once, by blind ids alone."""

import polars as pl

from handhold import store
from handhold.account.rules import Rules

# A family is what the reader of discharges calls one (a blind id over the first surname); where a row does not say, the
# child is its own. Siblings count once: one sponsor of children with one surname is one household.
OF_PLACES = "create temp table account_places (place bigint primary key) on commit drop"
PLACES = """
    insert into account_places
    select e.place from account_touched t join identity_file f on f.child = t.child join timeline_event e on e.file = f.id
    where e.kind = 'discharged' and e.superseded_by is null and e.place is not null
    union select s.place from account_touched t join account_shared s on s.child = t.child"""
RELEASED_TO = """
    with many as materialized (
        select p.place from account_places p join timeline_event d on d.place = p.place
        where d.kind = 'discharged' and d.superseded_by is null group by p.place having count(*) >= %(families)s)
    select e.place, f.child, coalesce(e.detail->>'family', f.child::text) as family, e.address_flags, e.at, e.detail->>'type' as type
    from many join timeline_event e on e.place = many.place and e.kind = 'discharged' and e.superseded_by is null
    join identity_file f on f.id = e.file
    where f.child is not null"""
STORED = "select s.place, s.child, s.families, s.children, s.since from account_shared s join account_places p on p.place = s.place"
KEYS = ["place", "child", "families", "children", "since"]


def refresh(db: store.Db, of: Rules) -> pl.Series:
    """Bring ``account_shared`` up to date for the places of touched children; returns those whose neighbours changed."""
    db.execute(OF_PLACES)
    db.execute(PLACES)
    db.execute("analyze account_places")
    families = int(of.gaps["shared-address"].threshold["families"])
    current = sharing(store.frame(db, RELEASED_TO, {"families": families}), families, of)
    stored = store.frame(db, STORED)
    new = current.join(stored, on=KEYS, how="anti")
    gone = stored.join(current, on=KEYS, how="anti")
    if len(gone):
        doomed = gone.select("place", "child")
        db.execute("create temp table account_unshared (place bigint, child bigint) on commit drop")
        store.copy_in(db, "account_unshared", doomed)
        db.execute(
            "delete from account_shared s using account_unshared u where u.place = s.place and u.child = s.child"
        )
        db.execute("drop table account_unshared")
    store.copy_in(db, "account_shared", new.select(KEYS))
    db.execute("drop table account_places")
    return pl.concat([new["child"], gone["child"]]).unique().sort()


def sharing(released: pl.DataFrame, families: int, of: Rules) -> pl.DataFrame:
    """Who shares a usable place with children of at least ``families`` families: place, child, families, children, since.

    ``released`` has place, child, family, address_flags, at, type, one row a discharge. ``since`` is when the last family
    needed to make up that number was released there.
    """
    unusable = list(of.unusable)
    to_sponsor = [kind for kind, (_, _, is_release) in of.discharges.items() if is_release]
    counted = released.filter(
        pl.col("type").is_in(to_sponsor),
        pl.col("address_flags").fill_null("").str.split(",").list.set_intersection(unusable).list.len() == 0,
    )
    # A child whose surname was typed in two ways is still one child, so it brings one family.
    children = counted.sort("at", "family").unique(["place", "child"], keep="first", maintain_order=True)
    by_family = (
        children.group_by("place", "family")
        .agg(pl.col("at").min(), pl.len().alias("n"))
        .sort("place", "at", "family")
    )
    places = (
        by_family.group_by("place", maintain_order=True)
        .agg(
            families=pl.len().cast(pl.Int32),
            children=pl.col("n").sum().cast(pl.Int32),
            since=pl.col("at").get(families - 1, null_on_oob=True),
        )
        .filter(pl.col("families") >= families)
    )
    return children.select("place", "child").join(places, on="place").select(KEYS)
