-- Receivers that accounts keep for the events of their calls.
create table webhooks (
    webhook_id uuid primary key,
    account_id text not null,
    -- Only calls of this agent; null for all of the account's.
    agent_id text,
    created timestamptz not null,
    url text not null,
    -- Sealed.
    secrets jsonb not null,
    events text[] not null,
    status text not null default 'normal',
    last_status_change timestamptz,
    failures_in_row integer not null default 0,
    -- Newest first.
    recent_failures jsonb not null default '[]'
);
create index webhooks_by_account on webhooks (account_id, created, webhook_id);

-- One row for each receiver of an event of a call.
alter table webhook_outbox
    drop constraint webhook_outbox_call_id_event_key,
    alter column document drop not null,
    alter column callback drop not null,
    -- Null for a callback, whose receiver is in the row itself.
    add column webhook_id uuid references webhooks on delete cascade,
    -- Rows of one lane go to one receiver, which must not hold up others.
    add column lane text,
    -- Of the events of one call: started 0, joined 1, ended 2, billed 3.
    add column position smallint,
    -- When it is sent next; moved into the future by the process that sends it, so that another takes over if that one dies.
    add column due timestamptz,
    -- Whose attempt is under way or was the last.
    add column lease uuid,
    add column failures integer not null default 0,
    -- Waits for the call's summary until it is due.
    add column held boolean not null default false,
    -- delivered or given_up; null while it is owed.
    add column outcome text,
    add column settled timestamptz;
update webhook_outbox set event = 'call.' || event, lane = 'callback ' || call_id, due = created,
    position = case event when 'joined' then 1 when 'ended' then 2 else 3 end;
alter table webhook_outbox
    alter column lane set not null,
    alter column position set not null,
    alter column due set not null;
create unique index webhook_outbox_once on webhook_outbox (call_id, event, coalesce(webhook_id::text, ''));
create index webhook_outbox_owed on webhook_outbox (lane, due, id) where outcome is null;
create index webhook_outbox_settled on webhook_outbox (settled) where outcome is not null;
-- For what goes with a webhook.
create index webhook_outbox_by_webhook on webhook_outbox (webhook_id) where webhook_id is not null;
