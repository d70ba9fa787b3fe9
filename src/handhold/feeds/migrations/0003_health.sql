-- What a delivery looked like when it was read: how full each column was and, for columns of codes, how often each stood.
create table feeds_column (
    delivery bigint not null references feeds_delivery,
    column_ text not null,
    rows bigint not null,
    filled bigint not null,
    codes jsonb,
    primary key (delivery, column_)
);

-- A person said that a change is the new normal: deliveries read before it are no measure any more.
create table feeds_normal (
    feed text primary key,
    from_ timestamptz not null,
    by text not null,
    recorded timestamptz not null default now()
);

-- The same bytes came again under a newer day: nothing was sent anew, but the feed is not silent (an empty day is like another).
create table feeds_again (
    delivery bigint not null references feeds_delivery,
    as_of date not null,
    received timestamptz not null,
    primary key (delivery, as_of)
);

-- HHS's published list of releases: what its figures count. It names nobody and is linked to nobody; the row that stands now is
-- the one of the delivery that feeds_row names.
create table feeds_release (
    row_ bigint not null,
    delivery bigint not null references feeds_delivery,
    line int not null,
    fiscal_year int,
    country text,
    sex text,
    zip text,
    state text,
    category text,
    relationship text,
    primary key (row_, delivery)
);
create view feeds_release_live with (security_invoker = true) as
    select l.* from feeds_release l join feeds_row r on r.id = l.row_ and r.delivery = l.delivery where r.withdrawn is null;

-- Labour concerns referred to the Department of Labor: the number that is given out says nothing of the child. It is the only
-- thing by which the investigators' answers find their way back.
create table feeds_referral (
    number text primary key,
    row_ bigint not null unique,         -- the concern
    file bigint not null,                -- ORR's file, to which the answers belong
    issued timestamptz not null,
    delivery bigint not null references feeds_delivery
);
