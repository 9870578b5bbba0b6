-- Durable tools. Rows, not grains: nothing of a tool runs, names are unique at once for all gateways, and an import is one transaction.
create table tools (
    tool_id text primary key,
    account_id text not null,
    name text not null,
    created timestamptz not null,
    -- json keeps the order of a schema's properties, which the model sees; jsonb would not.
    definition json not null
);
create unique index tools_by_name on tools (account_id, name);

-- Which calls have used which durable or built-in tool. One row however often a call used it.
create table tool_calls (
    tool_id text not null,
    call_id text not null,
    account_id text not null,
    -- When the call was created.
    created timestamptz not null,
    primary key (call_id, tool_id)
);
create index tool_calls_by_tool on tool_calls (account_id, tool_id, created, call_id);
