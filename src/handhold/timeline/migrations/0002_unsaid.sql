-- Since when no delivery that stands says so any more: it was undone, or is read otherwise beside what came later.
alter table timeline_event add column unsaid timestamptz;
