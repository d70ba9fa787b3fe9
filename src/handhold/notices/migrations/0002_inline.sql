-- A notice is a kilobyte or two and is read whole: see account/migrations/0005_inline.sql.
alter table notices_outbox set (toast_tuple_target = 8160);
