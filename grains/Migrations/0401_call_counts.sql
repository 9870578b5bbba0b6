-- How many calls there are, by account, agent and day of creation (UTC): docs/adr/0005-lists-of-calls.md. Kept by triggers, in the transaction of the change.
create table call_counts (
    -- The table that is counted.
    list text not null,
    account_id text not null,
    -- Empty for all calls of the account, with an agent or without.
    agent_id text not null,
    day date not null,
    -- A day's count is the sum of its rows: who finds one locked adds another rather than wait.
    slot bigint not null,
    total integer not null,
    -- By hour of creation, the first is 0.
    by_hour integer[] not null,
    -- By duration, see duration_bucket; calls without one are in none.
    by_duration integer[] not null,
    primary key (list, account_id, agent_id, day, slot)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create sequence call_count_slots;

-- 5 s up to a minute (1 to 12), 15 s up to 5 minutes (13 to 28), a minute up to half an hour (29 to 53), half an hour up to a day (54 to 100), longer (101).
create function duration_bucket(duration interval) returns integer language sql immutable parallel safe return
    case when duration is null then null
        when extract(epoch from duration) < 0 then 1
        when extract(epoch from duration) < 60 then 1 + floor(extract(epoch from duration) / 5)
        when extract(epoch from duration) < 300 then 9 + floor(extract(epoch from duration) / 15)
        when extract(epoch from duration) < 1800 then 24 + floor(extract(epoch from duration) / 60)
        when extract(epoch from duration) < 86400 then 53 + floor(extract(epoch from duration) / 1800)
        else 101 end::integer;

create function add_call_count(counted text, account text, agent text, created timestamptz, duration interval, calls integer, durations integer) returns void
language plpgsql as $$
declare
    on_day date := (created at time zone 'UTC')::date;
    hour integer := 1 + extract(hour from created at time zone 'UTC');
    bucket integer := duration_bucket(duration);
    whose text;
    free bigint;
begin
    foreach whose in array case when agent is null then array[''] else array['', agent] end loop
        select slot into free from call_counts where list = counted and account_id = account and agent_id = whose and day = on_day limit 1 for update skip locked;
        if free is null then
            free := nextval('call_count_slots');
            insert into call_counts values (counted, account, whose, on_day, free, 0, array_fill(0, array[24]), array_fill(0, array[101]));
        end if;
        update call_counts set total = total + calls, by_hour[hour] = by_hour[hour] + calls,
            by_duration[coalesce(bucket, 101)] = by_duration[coalesce(bucket, 101)] + case when bucket is null then 0 else durations end
        where list = counted and account_id = account and agent_id = whose and day = on_day and slot = free;
    end loop;
end
$$;

create function count_call() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (old.account_id, old.agent_id, old.created) is not distinct from (new.account_id, new.agent_id, new.created) and old.duration is null then
        perform add_call_count(tg_table_name, new.account_id, new.agent_id, new.created, new.duration, 0, 1);
        return null;
    end if;
    if tg_op <> 'INSERT' then perform add_call_count(tg_table_name, old.account_id, old.agent_id, old.created, old.duration, -1, -1); end if;
    if tg_op <> 'DELETE' then perform add_call_count(tg_table_name, new.account_id, new.agent_id, new.created, new.duration, 1, 1); end if;
    return null;
end
$$;

-- Counts anew. Also for an operator who loaded calls with the triggers switched off.
create procedure recount_calls() language plpgsql as $$
begin
    lock table calls, deleted_calls, call_counts in exclusive mode;
    delete from call_counts;
    with listed as (
        select 'calls' as list, account_id, agent_id, created, duration from calls
        union all select 'deleted_calls', account_id, agent_id, created, duration from deleted_calls
    ),
    cells as (
        select list, account_id, whose as agent_id, (created at time zone 'UTC')::date as day, 1 + extract(hour from created at time zone 'UTC')::integer as hour,
            duration_bucket(duration) as bucket, count(*)::integer as calls
        from listed, unnest(case when agent_id is null then array[''] else array['', agent_id] end) whose
        group by 1, 2, 3, 4, 5, 6
    ),
    hours as (select list, account_id, agent_id, day, hour, sum(calls)::integer as calls from cells group by 1, 2, 3, 4, 5),
    buckets as (select list, account_id, agent_id, day, bucket, sum(calls)::integer as calls from cells group by 1, 2, 3, 4, 5),
    by_hour as (
        select list, account_id, agent_id, day, sum(calls)::integer as total, array_agg(hour) as places, array_agg(calls) as counts from hours group by 1, 2, 3, 4
    ),
    by_bucket as (
        select list, account_id, agent_id, day, array_agg(bucket) filter (where bucket is not null) as places, array_agg(calls) filter (where bucket is not null) as counts
        from buckets group by 1, 2, 3, 4
    )
    insert into call_counts
    select h.list, h.account_id, h.agent_id, h.day, nextval('call_count_slots'), h.total,
        array(select coalesce(h.counts[array_position(h.places, n)], 0) from generate_series(1, 24) n order by n),
        array(select coalesce(b.counts[array_position(b.places, n)], 0) from generate_series(1, 101) n order by n)
    from by_hour h join by_bucket b using (list, account_id, agent_id, day);
end
$$;

create trigger calls_counted after insert or delete on calls for each row execute function count_call();
create trigger calls_recounted after update on calls for each row
    when ((old.account_id, old.agent_id, old.created, old.duration) is distinct from (new.account_id, new.agent_id, new.created, new.duration)) execute function count_call();
create trigger deleted_calls_counted after insert or delete on deleted_calls for each row execute function count_call();
create trigger deleted_calls_recounted after update on deleted_calls for each row
    when ((old.account_id, old.agent_id, old.created, old.duration) is distinct from (new.account_id, new.agent_id, new.created, new.duration)) execute function count_call();
call recount_calls();
