-- Mappings: each version a text that a person confirmed. A version is ended, never changed.
create table feeds_mapping (
    id bigint primary key,
    name text not null,
    version int not null,
    feed text not null,                  -- the feed of the contract whose fields it fills
    text_ text not null,                 -- TOML (feeds/mapping/text.py): columns, codes and patterns, no row of anybody's
    confirmed timestamptz not null,
    confirmed_by text not null,
    ended timestamptz,
    ended_by text,
    unique (name, version),
    check ((ended is null) = (ended_by is null))
);
create function feeds_mapping_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.ended is not null or (old.id, old.name, old.version, old.feed, old.text_, old.confirmed, old.confirmed_by)
       is distinct from (new.id, new.name, new.version, new.feed, new.text_, new.confirmed, new.confirmed_by) then
        raise exception 'a version of a mapping is ended once and never changed; confirm a new version instead';
    end if;
    return new;
end $$;
create trigger feeds_mapping_guard before update or delete on feeds_mapping for each row execute function feeds_mapping_guard();

-- Which version read a delivery, a row, and a row as it was believed before.
alter table feeds_delivery add column mapping bigint references feeds_mapping;
alter table feeds_row add column mapping bigint;
alter table feeds_row_past add column mapping bigint;

-- A message's attachments and a workbook's sheets: each is a delivery with a fate of its own, and a part of what brought it.
create table feeds_part (
    container bigint not null references feeds_delivery,
    n int not null,
    part bigint not null references feeds_delivery,
    primary key (container, n)
);
create index feeds_part_part on feeds_part (part);
-- A sheet has no bytes of its own: it lies in its workbook's.
alter table feeds_delivery add column bytes_of bytea, add column sheet_sealed bytea;

-- What a message says besides its attachments: for those who may see it, and never made into facts.
create table feeds_message (
    delivery bigint primary key references feeds_delivery,
    sent timestamptz not null,
    sender_sealed bytea not null,
    subject_sealed bytea,
    remark_sealed bytea
);

-- What was quarantined by an earlier reading of the same delivery.
create table feeds_quarantine_past (
    like feeds_quarantine,
    until timestamptz not null
);
create index feeds_quarantine_past_delivery on feeds_quarantine_past (delivery, line);
