-- An account is a kilobyte or two and is read whole: pressing it into fewer pages costs as much as everything else of writing it.
alter table account_standing set (toast_tuple_target = 8160);
alter table account_past set (toast_tuple_target = 8160);
