-- What decided, under the numbers by which evidence names it: rules beside models, and the models that packs brought.
create table identity_rules (
    version text primary key,            -- a hash of the text
    text_ text not null,                 -- JSON: thresholds and gates, loving forms of names, common languages
    since timestamptz not null
);
alter table identity_model alter column trained drop not null; -- null of a pack's model: it was trained elsewhere
