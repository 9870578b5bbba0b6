-- Since when none of the account's keys is taken; null while they are.
alter table accounts add column disabled timestamptz;

-- Gateways remember for some seconds whose key a key is. These tell all of them, in the moment of the commit, whoever made the change: the key's
-- prefix, or nothing where an account's keys are concerned.
create function tell_key_change() returns trigger language plpgsql as $$
begin
    perform pg_notify('voicegrains_keys', case tg_table_name when 'api_keys' then to_jsonb(old)->>'prefix' else '' end);
    return null;
end
$$;
create trigger api_key_changed after delete or update of revoked, expires on api_keys for each row execute function tell_key_change();
create trigger account_changed after update on accounts for each row execute function tell_key_change();
