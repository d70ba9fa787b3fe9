-- What is owed for a child, agency by agency: asked whenever caseloads are given out and taken back.
create index followup_step_open on followup_step (child, agency) where done is null and dropped is null;
