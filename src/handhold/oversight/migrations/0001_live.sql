-- What is believed now, by child: the one place where figures, exports and lists join events with children.
create view oversight_live as
select f.child, e.id as event, e.file, e.agency, e.kind, e.at, e.day, e.known, e.recorded, e.detail, e.delivery, e.line
from timeline_event e
join identity_file f on f.id = e.file
where e.superseded_by is null and f.child is not null;
