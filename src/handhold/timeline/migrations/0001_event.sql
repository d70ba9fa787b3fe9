-- What happened, as agencies state it. Nothing is overwritten: what is no longer stated keeps its place and says since when.
create table timeline_event (
    id bigint primary key,
    file bigint,
    child bigint,                 -- only for events of Handhold's own
    row_ bigint,
    slot text,
    agency text not null,
    kind text not null,
    at timestamptz not null,      -- when it was so, to its own precision
    day date not null,            -- the local day of "at"
    precision_ char(1) not null check (precision_ in ('y', 'm', 'd', 't')),
    known timestamptz not null,   -- when that agency knew it, by its own row
    known_day date not null,
    recorded timestamptz not null,
    detail jsonb,
    place bigint,
    building bigint,
    address_flags text,
    location bytea,               -- sealed: the address itself
    subject bigint,
    delivery bigint,
    line int,
    superseded_by bigint,         -- null: believed now; 0: withdrawn, with nothing in its place
    superseded timestamptz,
    check ((file is null) <> (child is null)),
    check ((superseded_by is null) = (superseded is null))
);
create index timeline_event_of_file on timeline_event (file) where file is not null;
create index timeline_event_of_child on timeline_event (child) where child is not null;
create index timeline_event_of_row on timeline_event (row_) where row_ is not null;
create index timeline_event_released_to on timeline_event (place) where kind = 'discharged' and superseded_by is null;

-- A statement that was withdrawn or replaced and is made again: the time in which it was not believed.
create table timeline_lapse (
    event bigint not null references timeline_event, superseded_by bigint not null,
    from_ timestamptz not null, until timestamptz not null
);
create index timeline_lapse_of_event on timeline_lapse (event);

create table timeline_sealed (
    event bigint not null references timeline_event, class text not null check (class in ('benefit', 'clinical')),
    blob bytea not null, primary key (event, class)
);

-- Sponsor data stands in a schema of its own, which enforcement-facing sessions may not enter.
create schema if not exists sponsor;
create table sponsor.timeline_sealed (event bigint primary key references timeline_event, blob bytea not null);

-- An event may name a child that was merged into another since; this finds the merged ones of a child.
create index timeline_kin on identity_child (into_) where into_ is not null;
