-- For how many days the account's ended calls are kept: null for the server's default, 0 for ever.
alter table accounts add column retention_days integer check (retention_days >= 0);

-- Calls that expire one day; those that ask to be retained are never looked at.
create index calls_expiring on calls (account_id, ended)
    where ended is not null and not summary_pending and document->'settings'->>'retentionPolicy' is distinct from 'retain';

-- Expired calls that a silo has taken upon itself to delete. One that dies, or fails, leaves them to others when the lease is over.
create table call_expirations (
    call_id text primary key,
    lease_until timestamptz not null,
    attempts integer not null default 1
);

-- Recordings of deleted calls, written in the transaction that deletes the call and kept until the blobs are gone.
create table recording_removals (
    call_id text primary key,
    -- Which conversations may have recorded.
    generations integer[] not null,
    -- A conversation may not have known yet that its call was deleted, and recorded a little more.
    was_live boolean not null,
    due timestamptz not null
);
create index recording_removals_by_due on recording_removals (due);
