-- What a row said before it said something else stays, marked.
alter table identity_description add column withdrawn boolean not null default false;
create index identity_description_row on identity_description (row_);
create index identity_question_files on identity_question (file_a, file_b) where closed is null;

-- Six keys a file: checking each against its file again would cost half of the loading. Only describe writes them, with the file.
alter table identity_key drop constraint identity_key_file_fkey;
