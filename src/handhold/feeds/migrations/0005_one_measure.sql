-- How full columns are is written down once, in feeds_column.
drop table feeds_fill;
