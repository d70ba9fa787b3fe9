-- Keys of machines: each bound to one agency, role and purpose. The secret itself is not here, only its hash.
create table access_token (
    id bigint generated always as identity primary key,
    hash bytea not null unique,          -- SHA-256 of the secret, which is 256 random bits
    agency text not null,
    role text not null,
    purpose text not null,
    made timestamptz not null,
    made_by text not null,
    expires timestamptz not null,
    revoked timestamptz
);

-- How often a token was used, by minute: the limit holds for all processes together.
create table access_token_use (
    token bigint not null references access_token,
    minute bigint not null,
    used int not null,
    primary key (token, minute)
);

-- What was answered under an Idempotency-Key; without a status while the first request is still at work.
create table access_token_answer (
    token bigint not null references access_token,
    key_ text not null,
    asked bytea not null,                -- SHA-256 of what the request was
    status int,
    body jsonb,
    headers jsonb,
    at timestamptz not null,
    primary key (token, key_)
);
