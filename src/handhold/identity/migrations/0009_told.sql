-- Known files of which something else is said since they were last linked: whoever links them takes the rows that it sees, and what
-- is told meanwhile waits for the next. The mark on the file itself (fresh) changes only under the lock of identity.
create table identity_told (
    file bigint not null references identity_file
);
