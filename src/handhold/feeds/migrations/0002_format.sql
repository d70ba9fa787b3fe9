-- What kind of file came (csv, tsv, xlsx, eml …), for lists of deliveries.
alter table feeds_delivery add column format text;
-- A held or refused delivery says nothing of rows; a read one says for which snapshot its rows stand.
create index feeds_delivery_feed on feeds_delivery (feed, as_of) where status = 'read';
-- Rows are written only by this room, together with their delivery: a check a row would double the time of a national file.
alter table feeds_row drop constraint feeds_row_delivery_fkey, drop constraint feeds_row_withdrawn_fkey;
