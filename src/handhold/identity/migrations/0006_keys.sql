-- Files that are here already meet by keys of the first kind; `identity.describe.renewed` makes them anew.
insert into store_setting (key, value) select 'identity.keys', '1'::jsonb where exists (select from identity_file)
on conflict (key) do nothing;

-- Questions of one file are found from either side.
create index identity_question_of on identity_question (file_a);
