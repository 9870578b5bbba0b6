-- Calls as lists and filters see them, written in the transaction that stores the grain's state.
create table calls (
    call_id text primary key,
    account_id text not null,
    agent_id text,
    created timestamptz not null,
    joined timestamptz,
    ended timestamptz,
    duration interval generated always as (ended - joined) stored,
    voice text,
    metadata jsonb not null,
    summary_pending boolean not null,
    -- The call's snapshot without its stages.
    document jsonb not null
);
create index calls_by_account on calls (account_id, created, call_id);
create index calls_by_agent on calls (account_id, agent_id, created, call_id) where agent_id is not null;
create index calls_by_metadata on calls using gin (metadata jsonb_path_ops);
create index calls_unended on calls (account_id) where ended is null;
-- What a starting silo looks at.
create index calls_unfinished on calls (created) where ended is null or summary_pending;

create table call_stages (
    call_id text not null,
    stage_id text not null,
    position integer not null,
    -- The stage's settings without its initial messages (they are messages) and without secrets.
    document jsonb not null,
    primary key (call_id, stage_id)
);
create unique index call_stages_by_position on call_stages (call_id, position);

create table call_messages (
    call_id text not null,
    stage_id text not null,
    index integer not null,
    -- History that the stage began with.
    initial boolean not null,
    document jsonb not null,
    primary key (call_id, stage_id, index)
);

create table call_events (
    call_id text not null,
    -- Given by the journal: rises within a call, and makes a repeated insert harmless.
    id bigint not null,
    severity smallint not null,
    type text not null,
    document jsonb not null,
    primary key (call_id, id)
);

-- What remains of deleted calls.
create table deleted_calls (
    call_id text primary key,
    account_id text not null,
    agent_id text,
    created timestamptz not null,
    deleted timestamptz not null,
    joined timestamptz,
    ended timestamptz,
    duration interval generated always as (ended - joined) stored,
    end_reason text,
    max_duration interval not null,
    recording_enabled boolean not null,
    had_summary boolean not null
);
create index deleted_calls_by_account on deleted_calls (account_id, created, call_id);
