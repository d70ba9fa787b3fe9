-- Why an account is looked at again, where that matters to what closes: "undone" when a delivery was undone or redone.
alter table account_touched add column because text;
