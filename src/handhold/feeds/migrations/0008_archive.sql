-- A table of an archive is a delivery of its own whose bytes lie in the archive's (bytes_of), at this place among its members
-- (docs/decisions/0009-an-archive-is-kept-once.md).
alter table feeds_delivery add column member int, add check (member is null or bytes_of is not null);

-- What of an archive no feed has: how many, and the names of those that are a table's by their name, and nobody's.
create table feeds_archive (
    delivery bigint primary key references feeds_delivery,
    others int not null,
    tables text[] not null
);
