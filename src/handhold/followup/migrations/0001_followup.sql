-- The text of every protocol that was ever followed: a running follow-up keeps the one it began with.
create table followup_protocol (version text primary key, name text not null, text_ text not null, since timestamptz not null);

create table followup_run (
    id bigint primary key,               -- of the gap, and of how many times it has opened
    gap bigint not null,
    times int not null,
    child bigint not null,
    protocol text not null,
    version text not null references followup_protocol,
    subject bigint,                      -- what the gap is about
    started timestamptz not null,
    ended timestamptz,
    outcome text,
    stirred boolean not null default true -- something happened since its next steps were last looked for
);
create unique index followup_run_of_gap on followup_run (gap, times);
create index followup_run_open on followup_run (child) where ended is null;
create index followup_run_stirred on followup_run (id) where stirred;

create table followup_step (
    id bigint primary key,
    run bigint not null references followup_run,
    child bigint not null,
    name text not null,
    ordinal int not null,
    agency text not null,
    role text not null,
    set_ timestamptz not null,
    due timestamptz,
    trace jsonb,                         -- how the due date was reckoned
    evidence_needed text,                -- the codes that complete it, comma-joined
    closes_with text,                    -- kind/reason of the gap whose closing completes it
    escalate_to text,
    done timestamptz,
    done_by text,
    evidence jsonb,
    outcome text,                        -- the evidence's code; lapsed; skipped
    lapsed timestamptz,
    escalated_to text,
    dropped timestamptz,                 -- not needed (any more)
    unique (run, name)
);
create index followup_step_owed on followup_step (agency, role, due, id) where done is null and dropped is null;
create index followup_step_escalated on followup_step (escalated_to, due, id) where done is null and dropped is null and lapsed is not null;
create index followup_step_due on followup_step (due) where done is null and dropped is null and lapsed is null;
create index followup_step_closing on followup_step (child) where done is null and dropped is null and closes_with is not null;

create trigger acting before insert or update or delete on followup_step
    for each statement execute function handhold_needs_actor();
create trigger acting before insert or update or delete on followup_run
    for each statement execute function handhold_needs_actor();
