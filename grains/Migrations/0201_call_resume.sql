-- A call may go on after its connection or its silo was lost.
alter table calls
    -- Counts the conversations of the call; what an older one still wants to store is refused.
    add column generation integer not null default 0,
    -- The process that runs the conversation; null while none does.
    add column host text;
create index calls_live on calls (host) where ended is null and joined is not null;

-- Processes that run conversations; one whose lease is over has lost them.
create table conversation_hosts (
    host text primary key,
    expires timestamptz not null
);

-- Deliveries that are owed, written in the transaction that stores what they tell.
create table webhook_outbox (
    id bigint generated always as identity primary key,
    call_id text not null,
    account_id text not null,
    -- joined, ended or billed
    event text not null,
    created timestamptz not null,
    -- The call as it was then; addresses and secrets of the receiver, encrypted.
    document jsonb not null,
    callback jsonb not null,
    unique (call_id, event)
);
