-- Children that a provider or counsel has taken on; person '' means anybody of that agency.
create table access_caseload (
    child bigint not null, agency text not null, person text not null default '',
    since timestamptz not null, until timestamptz, granted_by text not null, why text not null,
    primary key (child, agency, person)
);
create index access_caseload_open on access_caseload (agency, person) where until is null;

-- Who may sign in as what; passwords and second factors are the web's.
create table access_person (
    id bigint generated always as identity primary key, username text not null unique,
    agency text not null, role text not null, purposes text[] not null
);
