create table accounts (
    account_id uuid primary key,
    name text not null,
    plan text not null,
    allowed_concurrent_calls integer check (allowed_concurrent_calls >= 0),
    created timestamptz not null default now()
);

-- The secret itself is never stored. It has 190 random bits, so that a fast hash without salt is as good as a slow one with it.
create table api_keys (
    prefix text primary key check (length(prefix) = 8),
    account_id uuid not null references accounts on delete cascade,
    name text not null check (length(name) <= 50),
    key_hash bytea not null check (length(key_hash) = 32),
    created timestamptz not null default now(),
    expires timestamptz,
    revoked timestamptz,
    last_used timestamptz
);

create index api_keys_account on api_keys (account_id, created);
