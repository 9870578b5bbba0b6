-- What usage is counted from: the index alone answers, so that the calls' documents need not be read.
alter table calls add column end_reason text generated always as (document->>'endReason') stored;
create index calls_usage on calls (account_id, created) include (agent_id, joined, ended, end_reason);
