-- What agencies are told. A notice is never changed: it is sent, received, acknowledged, and at most corrected by another.
create table notices_outbox (
    id bigint primary key,               -- of what it is about, how many times that has opened, and who is told
    child bigint not null,
    about bigint not null,               -- gap
    about_kind text not null,
    times int not null,
    subject bigint,                      -- the event that the gap is about
    recipient text not null,
    role text not null,
    purpose text not null,
    duty text not null,
    agreement text not null,
    pack_version text not null,
    elements text[] not null,
    withheld jsonb not null,             -- element -> rule
    title text not null,                 -- the duty's words: nobody's name
    body bytea not null,                 -- sealed: identity
    created timestamptz not null,
    due timestamptz not null,
    sent timestamptz,
    received timestamptz,
    acknowledged timestamptz,
    acknowledged_by text,
    corrects bigint references notices_outbox,
    channel text,
    check ((acknowledged is null) = (acknowledged_by is null)),
    check (acknowledged is null or sent is not null)
);
create unique index notices_outbox_once on notices_outbox (about, times, recipient) where corrects is null;
create unique index notices_outbox_corrected on notices_outbox (corrects) where corrects is not null;
create index notices_outbox_unsent on notices_outbox (id) where sent is null;
create index notices_outbox_inbox on notices_outbox (recipient, due, id) where acknowledged is null and sent is not null;
create index notices_outbox_of_child on notices_outbox (child);

create trigger acting before insert or update or delete on notices_outbox
    for each statement execute function handhold_needs_actor();
