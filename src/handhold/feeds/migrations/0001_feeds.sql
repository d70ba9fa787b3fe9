-- What agencies sent: deliveries, the rows understood from them, what was superseded, what was refused.
create table feeds_delivery (
    id bigint primary key,
    sha256 bytea not null unique,
    name_sealed bytea not null,          -- a sender may put anything into a file's name
    feed text,
    agency text,
    as_of date,
    sender text not null,
    bytes bigint not null,
    received timestamptz not null,
    status text not null check (status in ('kept', 'read', 'held', 'refused', 'waiting')),
    why text,
    rows bigint, loaded bigint, unchanged bigint, quarantined bigint, left_ bigint, withdrawn bigint,
    missing_columns text[] not null default '{}',
    read_at timestamptz,
    recorded timestamptz not null default now(),
    -- Nothing is lost: what was read adds up (EOIR's rows that are no child's are counted and left).
    check (status <> 'read' or loaded + unchanged + quarantined + left_ = rows)
);

create table feeds_row (
    id bigint primary key,               -- blind hash of feed and row key
    feed text not null,
    content bigint not null,             -- blind hash of the row's cells
    file bigint not null,
    number bigint,                       -- blind hash of the A-number the row states
    delivery bigint not null references feeds_delivery,
    line int not null,
    as_of date not null,
    since timestamptz not null,
    withdrawn bigint references feeds_delivery
);
create index feeds_row_feed on feeds_row (feed);
create index feeds_row_delivery on feeds_row (delivery);

create table feeds_row_past (
    row_ bigint not null,
    content bigint not null,
    delivery bigint not null,
    line int not null,
    since timestamptz not null,
    until timestamptz not null
);
create index feeds_row_past_row on feeds_row_past (row_);

create table feeds_quarantine (
    id bigint primary key,
    delivery bigint not null references feeds_delivery,
    line int not null,
    column_ text not null,
    value bytea,                         -- sealed
    why text not null,
    row_ bytea,                          -- sealed: the row as it came
    recorded timestamptz not null
);
create index feeds_quarantine_delivery on feeds_quarantine (delivery, line);
