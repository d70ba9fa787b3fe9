-- What a row said before it said something else stays, marked; and files are found by their keys both ways.
alter table identity_description add column withdrawn boolean not null default false;
create index identity_description_row on identity_description (row_);
create index identity_key_file on identity_key (file);
create index identity_question_files on identity_question (file_a, file_b) where closed is null;
