"""What hangs on a question about links: the next hearing and the open gaps of the two children, kept for the queue's order."""

from datetime import datetime

from handhold import store

LOOKED_UP = "questions-looked-up"
STAKES = """
    insert into account_stake (question, hearing, gaps, at)
    select q.id, least(case when sa.next_hearing >= %(now)s then sa.next_hearing end, case when sb.next_hearing >= %(now)s then sb.next_hearing end),
           coalesce(sa.open_gaps, 0) + coalesce(sb.open_gaps, 0), %(now)s
    from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b
    left join account_standing sa on sa.child = a.child left join account_standing sb on sb.child = b.child
    where q.closed is null and (%(all)s or not exists (select from account_stake s where s.question = q.id))
    on conflict (question) do update set hearing = excluded.hearing, gaps = excluded.gaps, at = excluded.at"""


def stake(db: store.Db, *, now: datetime, stale: datetime) -> None:
    """Look up what hangs on every open question that is new, and on all of them if that was last done before ``stale``."""
    last = store.setting(db, LOOKED_UP)
    everything = last is None or last < stale.timestamp()
    if everything:
        db.execute("delete from account_stake")
        store.put_setting(db, LOOKED_UP, now.timestamp())
    db.execute(STAKES, {"now": now, "all": everything})
