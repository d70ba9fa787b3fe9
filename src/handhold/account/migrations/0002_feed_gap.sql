-- Gaps of a feed: they have no child, so they stand beside the gaps of children. The same gap reopens and never doubles.
create table account_feed_gap (
    id bigint primary key,               -- stable over feed, kind and reason
    feed text not null,
    kind text not null,
    reason text not null,
    owner text not null,                 -- the agency that sends the feed
    opened timestamptz not null,
    since timestamptz not null,
    closed timestamptz,
    closed_by text,
    why bytea,                           -- sealed: people write what they like
    due timestamptz not null,
    evidence jsonb not null,             -- numbers and names of columns
    times int not null default 1,
    unique (feed, kind, reason)
);
create index account_feed_gap_open on account_feed_gap (owner, due) where closed is null;
