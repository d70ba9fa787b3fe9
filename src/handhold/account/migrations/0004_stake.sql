-- What hangs on a question, as of the last time it was looked up: a nation's accounts are too many to ask for each page.
create table account_stake (
    question bigint primary key,
    hearing timestamptz,
    gaps int not null,
    at timestamptz not null
);
