-- Whose file is it: files, what they say of a person (sealed), blind keys, children, links with their history, questions.
create table identity_file (
    id bigint primary key,
    agency text not null,
    key_ bytea not null,                 -- sealed: the agency's own number
    child bigint,
    linked_by text check (linked_by in ('number', 'match', 'person')),
    probability real,
    since timestamptz,
    hold boolean not null default false, -- do not link automatically (protected location)
    fresh boolean not null default true  -- described anew since files were last linked
);
create index identity_file_child on identity_file (child);
create index identity_file_fresh on identity_file (id) where fresh;

create table identity_description (
    id bigint primary key,               -- of file and content: every spelling a file ever had stays
    file bigint not null references identity_file,
    row_ bigint not null,
    sealed bytea not null,
    recorded timestamptz not null
);
create index identity_description_file on identity_description (file);

create table identity_key (
    key bigint not null,
    file bigint not null references identity_file,
    kind text not null,
    primary key (key, file, kind)
);

create table identity_child (
    id bigint primary key,
    born timestamptz not null,           -- when Handhold first knew of the child
    into_ bigint                         -- an id that was joined to another keeps resolving
);

create table identity_link (
    id bigint generated always as identity primary key,
    file bigint not null references identity_file,
    child bigint not null,
    judgement text not null check (judgement in ('match', 'possible', 'no match')),
    linked_by text not null check (linked_by in ('number', 'match', 'person')),
    probability real,
    evidence jsonb not null default '{}',
    by text not null,
    why text,
    since timestamptz not null,
    until timestamptz
);
create index identity_link_file on identity_link (file);
create unique index identity_link_one on identity_link (file) where until is null and judgement = 'match';

create table identity_question (
    id bigint primary key,
    file_a bigint not null references identity_file,
    file_b bigint not null references identity_file,
    reason text not null,
    evidence jsonb not null default '{}',
    weight real not null default 0,
    opened timestamptz not null,
    closed timestamptz,
    answer text,
    by text
);
create index identity_question_open on identity_question (weight desc, id) where closed is null;

-- What a person said of two files: final until a person changes it; ended, never overwritten.
create table identity_judgement (
    id bigint generated always as identity primary key,
    file_a bigint not null,
    file_b bigint not null,
    judgement text not null check (judgement in ('match', 'possible', 'no match')),
    by text not null,
    why text not null,
    since timestamptz not null,
    until timestamptz,
    check (file_a < file_b)
);
create unique index identity_judgement_one on identity_judgement (file_a, file_b) where until is null;
