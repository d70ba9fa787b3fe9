-- How a delivery wants to be read, what is usual for its feed, and what people decided of those that were held.
alter table feeds_delivery
    add column whole boolean not null default false,     -- all or none: refused when one row would be quarantined
    add column released boolean not null default false,  -- a person looked at what was held: it is read as it is
    add column changed bigint;                           -- of the loaded rows, those that a row of the same key came before

create table feeds_fill (
    delivery bigint not null references feeds_delivery,
    column_ text not null,
    filled real not null,                -- share of the rows in which the column is not blank
    primary key (delivery, column_)
);

create table feeds_decision (
    delivery bigint not null references feeds_delivery,
    at timestamptz not null,
    by text not null,
    decided text not null check (decided in ('released', 'refused')),
    why bytea not null,                  -- sealed: people write what they like
    primary key (delivery, at)
);

-- Files on their way in: pieces lie sealed under HANDHOLD_HOME/uploads until they are a delivery.
create table feeds_upload (
    agency text not null,                -- ids are the sender's own, so they are apart by agency
    id uuid not null,
    by text not null,                    -- who began it
    name_sealed bytea not null,
    size bigint not null,
    received bigint not null default 0,
    as_of date,
    begun timestamptz not null,
    delivery bigint references feeds_delivery,
    primary key (agency, id)
);
create index feeds_upload_delivery on feeds_upload (delivery);
