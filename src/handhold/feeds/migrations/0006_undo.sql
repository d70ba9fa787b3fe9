-- A delivery can be undone and redone; it keeps its turn among the others.
alter table feeds_delivery drop constraint feeds_delivery_status_check,
    add constraint feeds_delivery_status_check check (status in ('kept', 'read', 'held', 'refused', 'waiting', 'undone'));
create table feeds_undoing (
    delivery bigint not null references feeds_delivery,
    undone timestamptz not null, undone_by text not null, undone_why text not null,
    redone timestamptz, redone_by text, redone_why text
);
create unique index feeds_undoing_one on feeds_undoing (delivery) where redone is null;

-- What a past statement was about: a file, and a number that ERO or ORR once stated, are known as long as a delivery that stands says so.
alter table feeds_row_past add column file bigint, add column number bigint;
create index feeds_row_past_delivery on feeds_row_past (delivery);

-- Court cases left aside that carry a number: when ERO or ORR states that number, the case is a child's after all.
create table feeds_left_case (number bigint not null, file bigint not null, primary key (number, file));

-- A refused row, its key where it can be read, and what released it: a corrected row of the same key, or an edit in place.
alter table feeds_quarantine add column key_ bigint, add column released timestamptz, add column released_by bigint;
create index feeds_quarantine_key on feeds_quarantine (key_) where key_ is not null;

-- In which order deliveries speak (feeds/order.py): by the day they speak of, then by when they came. The court's tables are
-- one stream, every other feed is its own.
create view feeds_turn as
    select id, case when agency = 'EOIR' then agency else feed end as stream, status,
           coalesce(as_of, (received at time zone 'UTC')::date) as day, received, recorded
    from feeds_delivery;

-- A refused row corrected in place: beside the row as it came, never over it. The newest edit of a line counts.
create table feeds_edit (
    id bigint primary key,
    delivery bigint not null references feeds_delivery,
    line int not null,
    row_ bytea not null,                 -- sealed: the row as it should have come
    why bytea not null,                  -- sealed: what a person wrote
    by text not null,
    at timestamptz not null,
    ended timestamptz
);
create unique index feeds_edit_one on feeds_edit (delivery, line) where ended is null;
alter table feeds_quarantine add column edit bigint references feeds_edit;
