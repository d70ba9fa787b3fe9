"""Training on the files at hand, and letting a model decide: nothing changes before a person adopts it."""

import hashlib
import tomllib

import pytest

from handhold import identity, store
from handhold.identity.model import of
from handhold.identity.spec import version

from .said import ANA, NOW, PACK, said, tell
from .typed import told

BY = "person:ana"


@pytest.fixture
def loaded(db: store.Db) -> store.Db:
    """Five hundred children, described and not linked yet."""
    identity.describe(db, told(500, seed=3, error=1), now=NOW)
    return db


@pytest.mark.slow
def test_a_model_is_trained_compared_and_decides_only_when_it_is_adopted(loaded: store.Db) -> None:
    trained = identity.train(loaded, PACK, by=BY, now=NOW, pairs=1e5)
    bits = {
        (t, level): (one, other)
        for t, level, one, other in trained.levels.select(
            "trait", "level", "stranger bits", "sibling bits"
        ).iter_rows()
    }
    assert bits["dob", "same"][0] > bits["dob", "day-off"][0] > bits["dob", "other"][0]
    assert bits["number", "same"][0] > bits["surname", "same"][0] > 0 > bits["surname", "other"][0]
    assert bits["number", "near"][0] > 0 > bits["number", "near"][1], "a neighbouring number is a sibling's"
    assert trained.change["pairs in one child by both"] > 1_000
    assert identity.scale(PACK, loaded).version == identity.scale(PACK).version
    identity.adopt(loaded, trained.version, PACK, now=NOW)
    assert identity.scale(PACK, loaded).version == trained.version == tomllib.loads(trained.text)["version"]
    identity.identify(loaded, by="system", now=NOW, pack=PACK)
    models = store.fetch(
        loaded, "select distinct evidence ->> 'model' as model from identity_link where evidence ? 'model'"
    )
    assert [row["model"] for row in models] == [trained.version]


@pytest.fixture
def another(db: store.Db) -> str:
    """A model kept here, which says less of a sex that differs than the pack's does."""
    text = PACK.text("identity/model.toml")
    told = tomllib.loads(text)
    was = f"different = [{told['bits']['sex']['different'][0]}, {told['bits']['sex']['different'][1]}]"
    head, sex = text.split("[bits.sex]")
    assert was in sex
    changed = (
        head.replace(told["version"], "0123456789ab")
        + "[bits.sex]"
        + sex.replace(was, "different = [-1.0, -1.0]", 1)
    )
    db.execute(
        "insert into identity_model (version, text_, spec, files, trained, by) values ('0123456789ab', %s, %s, 2000, %s, %s)",
        [changed, version(), NOW, BY],
    )
    return "0123456789ab"


def test_a_kept_model_decides_when_it_is_adopted_and_the_packs_own_again(db: store.Db, another: str) -> None:
    own = identity.scale(PACK).version
    assert [(m["version"], m["decides"]) for m in identity.models(db, PACK)] == [
        (own, True),
        (another, False),
    ]
    identity.adopt(db, another, PACK, now=NOW)
    assert identity.scale(PACK, db).version == another
    assert [(m["version"], m["decides"]) for m in identity.models(db, PACK)] == [
        (own, False),
        (another, True),
    ]
    identity.adopt(db, own, PACK, now=NOW)
    assert identity.scale(PACK, db).version == own
    identity.adopt(db, another, PACK, now=NOW)
    assert identity.scale(PACK, db).version == another


def test_what_was_weighed_is_explained_by_the_model_that_weighed_it(db: store.Db, another: str) -> None:
    evidence = {"sex": "different"}
    own, other = (
        identity.explain(evidence, identity.scale_of(PACK, db, number))
        for number in (identity.scale(PACK).version, another)
    )
    assert own.stranger != other.stranger == pytest.approx(other.prior[0] - 1.0)
    identity.adopt(db, another, PACK, now=NOW)
    assert identity.scale_of(PACK, db, identity.scale(PACK).version).version == identity.scale(PACK).version
    assert identity.scale_of(PACK, db, "gone").version == identity.scale_of(PACK, db, None).version == another


def test_what_decided_can_be_read_when_the_pack_is_another_one(db: store.Db) -> None:
    tell(db, said("ORR", "UC1", number="216043624", **ANA), said("ERO", "216043624", **ANA))
    (drawn,) = store.fetch(db, "select evidence from identity_link where evidence ? 'model'")
    (kept,) = identity.rules(db)
    assert (kept["version"], kept["link"]) == (
        drawn["evidence"]["rules"],
        identity.scale(PACK).threshold("link"),
    )
    assert hashlib.sha256(kept["text"].encode()).hexdigest()[:8] == kept["version"]
    shipped = store.fetch(
        db, "select text_ from identity_model where version = %s", [drawn["evidence"]["model"]]
    )
    assert [row["text_"] for row in shipped] == [PACK.text("identity/model.toml")]
    tell(db, said("EOIR", "9000001", number="216043624", **ANA), day=1)
    assert len(identity.rules(db)) == 1


def test_a_link_of_another_specification_is_explained_by_its_own_model(db: store.Db, another: str) -> None:
    db.execute(
        "update identity_model set spec = 'of last year', text_ = replace(text_, %s, 'of last year'), trained = null",
        [version()],
    )
    told = identity.explain({"sex": "different"}, identity.scale_of(PACK, db, another))
    assert told.stranger == pytest.approx(told.prior[0] - 1.0)


def test_too_few_files_are_refused(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **ANA))
    with pytest.raises(identity.ModelError, match="too few"):
        identity.train(db, PACK, by=BY, now=NOW)


def test_a_model_nobody_trained_cannot_be_adopted(db: store.Db) -> None:
    with pytest.raises(identity.ModelError, match="no model"):
        identity.adopt(db, "abc", PACK, now=NOW)


def test_a_model_that_was_adopted_for_another_specification_decides_no_more(db: store.Db) -> None:
    db.execute(
        """insert into identity_model (version, text_, spec, files, trained, by, adopted) values
           ('old', '', 'of last year', 9, %(now)s, %(by)s, %(now)s)""",
        {"now": NOW, "by": BY},
    )
    assert identity.scale(PACK, db).version == identity.scale(PACK).version
    with pytest.raises(identity.ModelError, match="another comparison"):
        identity.adopt(db, "old", PACK, now=NOW)


def test_a_model_of_another_specification_never_weighs() -> None:
    with pytest.raises(identity.ModelError, match="specification"):
        of(PACK, PACK.toml("identity/model.toml") | {"spec": "of last year"})


def test_the_shipped_model_is_of_this_specification_and_says_no_rare_name() -> None:
    shipped = PACK.toml("identity/model.toml")
    assert shipped["spec"] == version()
    for names in shipped["names"].values():
        assert min(names["word"].values()) * shipped["files"] >= 9  # twenty files, of two words each at most
