-- Who acts in this transaction, as ledger.acting() said; null when nobody does.
create function handhold_acting() returns text language sql stable as
$$ select nullif(current_setting('handhold.by', true), '') $$;

-- For any room's table: create trigger … before insert or update or delete on …
--     for each statement execute function handhold_needs_actor();
create function handhold_needs_actor() returns trigger language plpgsql as $$
begin
    if handhold_acting() is null then
        raise exception 'nobody is acting: % on % is refused', tg_op, tg_table_name
            using hint = 'work inside ledger.acting_transaction(by)', errcode = 'insufficient_privilege';
    end if;
    return null;
end $$;

create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name
        using hint = 'to expunge what an entry says, use ledger.redact', errcode = 'insufficient_privilege';
end $$;

-- The one change an entry may undergo: all that it says is destroyed, after its leaf has its place in the tree.
create function ledger_only_redact() returns trigger language plpgsql as $$
begin
    if new.payload is null and new.seq = old.seq and exists (select from ledger_leaf where seq = old.seq) then
        return new;
    end if;
    raise exception 'the ledger is append-only: % on % is refused', tg_op, tg_table_name
        using hint = 'to expunge what an entry says, use ledger.redact', errcode = 'insufficient_privilege';
end $$;

create trigger ledger_only_redact before update on ledger_entry for each row execute function ledger_only_redact();
create trigger ledger_refuse before delete or truncate on ledger_entry for each statement execute function ledger_refuse();
create trigger ledger_refuse before update or delete or truncate on ledger_leaf
    for each statement execute function ledger_refuse();
create trigger ledger_refuse before update or delete or truncate on ledger_checkpoint
    for each statement execute function ledger_refuse();
create trigger ledger_refuse before update or truncate on ledger_waiting
    for each statement execute function ledger_refuse();

create function ledger_redact(which bigint) returns boolean language sql as $$
    update ledger_entry set at = null, by = null, verb = null, thing = null, ids = null, count = null, digest = null,
        agency = null, purpose = null, rule = null, payload = null, salt = null, packed = null
    where seq = which and payload is not null and verb <> 'ledger.redacted'
    returning true
$$;
