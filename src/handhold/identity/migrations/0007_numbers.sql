-- The A-number that a description states, hashed as its key is: which children have two, and which share one. Descriptions
-- that are here already get theirs when `identity.describe.renewed` makes keys anew.
alter table identity_description add column number bigint;
