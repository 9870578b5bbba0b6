-- Lists of a million calls: docs/adr/0005-lists-of-calls.md says why each of these is here.

-- Lists read rows, not documents: out of line, many more rows are on a page. Counting from an index alone needs a table that is vacuumed often.
alter table calls set (toast_tuple_target = 512, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table deleted_calls set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- What is found by words: all that was said, and the summaries. Null until the call is over and summarized, and again when words come late; such calls are few,
-- and their messages are looked at one by one.
alter table calls add column words tsvector;

-- The server's locale may be C, which knows no letters but A to Z.
create function folded(words text) returns text language sql immutable parallel safe return lower(words collate "und-x-icu");

-- Cut where a vector might grow too long: after ten hours of speech.
create function call_words(call text, snapshot jsonb) returns tsvector language sql stable as $$
    select strip(to_tsvector('simple', folded(left(concat_ws(' ', snapshot->>'shortSummary', snapshot->>'summary', string_agg(m.document->>'text', ' ')), 200000))))
    from call_messages m
    where m.call_id = call and not m.initial and m.document->>'role' is distinct from 'MESSAGE_ROLE_TOOL_CALL' and m.document->>'role' is distinct from 'MESSAGE_ROLE_TOOL_RESULT'
$$;
-- Sees what was committed while the statement waited for the call's lock.
create function current_call_words(call text, snapshot jsonb) returns tsvector language plpgsql volatile as 'begin return call_words(call, snapshot); end';
update calls set words = call_words(call_id, document) where ended is not null and not summary_pending;
-- Without a list of pending entries: a search would read all of it, and one call in many would pay for moving it.
create index calls_by_words on calls using gin (words) with (fastupdate = off);
create index calls_without_words on calls (account_id) where words is null;
alter index calls_by_metadata set (fastupdate = off);

-- One index for the list by creation and for what usage is counted from.
create index calls_by_created on calls (account_id, created, call_id) include (agent_id, joined, ended, end_reason);
drop index calls_by_account;
drop index calls_usage;
create index calls_by_joined on calls (account_id, joined, call_id);
create index calls_by_ended on calls (account_id, ended, call_id);
create index calls_by_duration on calls (account_id, duration, call_id) include (agent_id, created);
create index calls_by_time_of_day on calls (account_id, ((created at time zone 'UTC')::time), created) include (agent_id);
create index calls_by_voice on calls (account_id, lower(voice), created, call_id) where voice is not null;

create index deleted_calls_by_agent on deleted_calls (account_id, agent_id, created, call_id) where agent_id is not null;
create index deleted_calls_by_duration on deleted_calls (account_id, duration, call_id) include (agent_id, created);
create index deleted_calls_by_time_of_day on deleted_calls (account_id, ((created at time zone 'UTC')::time), created) include (agent_id);
