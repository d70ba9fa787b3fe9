-- Who ended a person's word, and the times in which only a person might link a file: ended, never overwritten.
alter table identity_judgement add column ended_by text;
create index identity_judgement_of on identity_judgement (file_b) where until is null;

create table identity_hold (
    file bigint not null references identity_file,
    by text not null,
    why text not null,
    since timestamptz not null,
    until timestamptz,
    ended_by text
);
create unique index identity_hold_one on identity_hold (file) where until is null;

-- Files that left a child are found by the child they left; few links ever end.
create index identity_link_left on identity_link (child) where until is not null;
create index identity_question_closed on identity_question (file_b, file_a);

-- One person's "the same child" where two people must say so: it joins nothing until another person says it too.
create table identity_proposal (
    id bigint generated always as identity primary key,
    file_a bigint not null references identity_file,
    file_b bigint not null references identity_file,
    by text not null,
    why text not null,
    since timestamptz not null,
    until timestamptz,
    outcome text check (outcome in ('confirmed', 'contradicted', 'withdrawn')),
    ended_by text,
    check (file_a < file_b),
    check ((until is null) = (outcome is null)),
    check (outcome is distinct from 'confirmed' or ended_by is distinct from by)
);
create unique index identity_proposal_one on identity_proposal (file_a, file_b) where until is null;

-- Pairs looked at once more by somebody who does not know what was said first: what people decided ("again"), and what
-- was linked without a person ("linked"). The answers measure; they join and part nothing.
create table identity_review (
    id bigint primary key,
    source text not null check (source in ('again', 'linked')),
    file_a bigint not null references identity_file,
    file_b bigint not null references identity_file,
    reason text not null,
    evidence jsonb not null default '{}',
    weight real not null,
    said text not null,              -- what was said first
    said_by text not null,
    drawn timestamptz not null,
    answer text check (answer in ('match', 'possible', 'no match')),
    by text,
    why text,
    at timestamptz,
    check ((answer is null) = (at is null)),
    check (answer is null or by <> said_by)
);
create index identity_review_open on identity_review (drawn, id) where answer is null;

-- Who has a question before them, so that two clerks do not answer the same one.
create table identity_claim (
    question bigint primary key,
    by text not null,
    at timestamptz not null
);

-- Questions that are alike: the same reason and the same codes throughout; weights and ids in the evidence do not matter.
alter table identity_question add column pattern text generated always as
    (md5(reason || ' ' || (evidence - array['model', 'weight', 'rarity', 'with', 'through', 'stranger', 'sibling'])::text)) stored;
