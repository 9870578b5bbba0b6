-- Agents as lists see them, written in the transaction that stores the grain's state.
create table agents (
    agent_id text primary key,
    account_id text not null,
    name text not null,
    created timestamptz not null,
    -- The agent without its secrets.
    document jsonb not null
);

create index agents_by_created on agents (account_id, created, agent_id);
create index agents_by_name on agents (account_id, name collate "C", agent_id);
