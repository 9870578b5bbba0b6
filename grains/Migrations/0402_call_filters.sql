-- Several filters at once are looked at in an index, before any row is read: each index that a list may begin with has what calls are filtered by.
drop index calls_by_agent;
drop index calls_by_duration;
drop index calls_by_time_of_day;
drop index calls_by_voice;
create index calls_by_agent on calls (account_id, agent_id, created, call_id) include (duration, voice) where agent_id is not null;
create index calls_by_duration on calls (account_id, duration, call_id) include (agent_id, created, voice);
create index calls_by_time_of_day on calls (account_id, ((created at time zone 'UTC')::time), created, call_id) include (agent_id, duration, voice);
create index calls_by_voice on calls (account_id, lower(voice), created, call_id) include (agent_id, duration, voice) where voice is not null;
-- The planner does not use what it knows of a partial index.
create statistics calls_voices on (lower(voice)) from calls;

-- As 0401 has it, but with the collation of the counted columns: a table's name brings "C" along, and with that the index of the counts is of no use.
create or replace function count_call() returns trigger language plpgsql as $$
declare
    counted text := tg_table_name::text collate "default";
begin
    if tg_op = 'UPDATE' and (old.account_id, old.agent_id, old.created) is not distinct from (new.account_id, new.agent_id, new.created) and old.duration is null then
        perform add_call_count(counted, new.account_id, new.agent_id, new.created, new.duration, 0, 1);
        return null;
    end if;
    if tg_op <> 'INSERT' then perform add_call_count(counted, old.account_id, old.agent_id, old.created, old.duration, -1, -1); end if;
    if tg_op <> 'DELETE' then perform add_call_count(counted, new.account_id, new.agent_id, new.created, new.duration, 1, 1); end if;
    return null;
end
$$;
