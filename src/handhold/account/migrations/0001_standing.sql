-- Children whose events, files or neighbours changed since their account was made.
create table account_touched (child bigint primary key);

-- The account as it stands. "account" holds the six answers: codes, days, blind ids and event ids, no identity.
create table account_standing (
    child bigint primary key,
    account jsonb not null,
    responsible text not null,
    place text not null,
    address_quality text not null,
    contact text not null,
    nta text not null,
    nta_reason text,
    court text not null,
    next_hearing timestamptz,
    missed_hearings int not null,
    told_orr text not null,
    told_ero text not null,
    told_opla text not null,
    open_gaps int not null,
    wakes_at timestamptz,
    as_of timestamptz not null,
    digest bigint not null
);
create index account_standing_wakes on account_standing (wakes_at) where wakes_at is not null;

create table account_past (
    child bigint not null, account jsonb not null, from_ timestamptz not null, until timestamptz not null
);
create index account_past_of_child on account_past (child, from_);

create table account_gap (
    id bigint primary key,            -- stable over child, kind and key, so the same gap reopens and never doubles
    child bigint not null,
    kind text not null,
    key_ text not null,
    reason text not null,
    subject bigint,
    owner text not null,
    opened timestamptz not null,      -- when Handhold opened it (last)
    since timestamptz not null,       -- when it began to be so
    closed timestamptz,
    closed_by text,
    why text,
    due timestamptz,
    evidence jsonb not null,
    times int not null default 1,     -- how often it was opened
    digest bigint not null
);
create index account_gap_of_child on account_gap (child);
create index account_gap_open on account_gap (kind, owner, due) where closed is null;

-- Places to which children of several families were released, as of the last update.
create table account_shared (
    place bigint not null, child bigint not null, families int not null, children int not null, since timestamptz not null,
    primary key (place, child)
);
create index account_shared_of_child on account_shared (child);
