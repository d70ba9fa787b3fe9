-- Whoever writes a description or a link writes its file before it, in the same transaction. A foreign key asks again for every
-- row: half of the time of writing them (docs/decisions/0013-what-writing-costs.md).
alter table identity_description drop constraint identity_description_file_fkey;
alter table identity_link drop constraint identity_link_file_fkey;
