-- What a deployment knows about itself, for example that its data is synthetic.
create table store_setting (key text primary key, value jsonb not null);
