-- From when on nobody can join the call for the first time: a call that nobody joined counts no longer as active, whoever has yet to end it.
alter table calls add column join_deadline timestamptz;
update calls set join_deadline = created + (document->'settings'->>'joinTimeout')::interval where ended is null and joined is null;

-- Rules that an account makes for how fast some of its calls are created.
create table call_throttles (
    throttle_id uuid primary key,
    account_id text not null,
    name text not null check (length(name) <= 64),
    created timestamptz not null,
    -- [{"maxCalls": 10, "windowSeconds": 60}]
    rules jsonb not null
);
create unique index call_throttles_by_name on call_throttles (account_id, name);
create index call_throttles_by_created on call_throttles (account_id, created, throttle_id);

-- Calls created under a throttle, as far back as its longest window. Deleted calls stay counted.
create table call_throttle_uses (
    throttle_id uuid not null references call_throttles on delete cascade,
    created timestamptz not null,
    call_id text not null
);
create index call_throttle_uses_newest on call_throttle_uses (throttle_id, created desc);
