-- Who did, saw, shared or was refused what: codes and ids, never names (design.md 10).
create table ledger_entry (
    seq bigint generated always as identity primary key,
    at timestamptz,
    by text,
    verb text,
    thing text,
    ids bigint[],           -- all of them when there are at most 16
    count bigint,
    digest bytea,           -- Merkle root over all ids (trail.py)
    agency text,
    purpose text,
    rule text,
    payload bytea,          -- the canonical JSON whose salted hash is in the tree
    salt bytea,
    packed bytea,           -- all ids when there are more than 16: 8 bytes each, big-endian, sorted
    constraint whole_or_redacted check (
        num_nulls(at, by, verb, thing, ids, count, digest, payload, salt) in (0, 9)
        and (payload is not null or num_nonnulls(agency, purpose, rule, packed) = 0))
);
alter table ledger_entry alter column packed set storage external;
create index ledger_entry_one on ledger_entry ((ids[1])) where count = 1;
create index ledger_entry_few on ledger_entry using gin (ids) where count between 2 and 16;

-- Identity order is not commit order: what waits for its place in the tree is listed, not guessed from the numbers.
create table ledger_waiting (seq bigint primary key references ledger_entry);
create function ledger_wait() returns trigger language plpgsql as $$
begin
    insert into ledger_waiting select seq from entered;
    return null;
end $$;
create trigger ledger_wait after insert on ledger_entry
    referencing new table as entered for each statement execute function ledger_wait();

create table ledger_leaf (
    index bigint primary key,
    seq bigint not null unique references ledger_entry,
    hash bytea not null check (length(hash) = 32)
);

create table ledger_checkpoint (
    size bigint primary key,
    root bytea not null,
    note text not null,     -- C2SP signed note
    at timestamptz not null,
    frontier bytea not null -- the peaks of the tree, to go on from
);
