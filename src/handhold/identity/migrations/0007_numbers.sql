-- The A-number that a description states, hashed as its key is: which children have two, and which share one. Descriptions
-- that are here already get theirs when `identity.describe.renewed` makes keys anew.
alter table identity_description add column number bigint;

-- Evidence names the rules beside the model: questions that are alike stay so whatever the rules were.
alter table identity_question drop column pattern;
alter table identity_question add column pattern text generated always as
    (md5(reason || ' ' || (evidence - array['model', 'rules', 'weight', 'rarity', 'with', 'through', 'stranger', 'sibling'])::text)) stored;
