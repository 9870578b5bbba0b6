-- Accounts' own keys for speech providers. Sealed with the server's secret key, bound to account and provider: a box that is moved cannot be opened.
create table provider_keys (
    account_id text not null,
    provider text not null,
    -- The key's first characters, for people.
    prefix text not null,
    sealed text not null,
    updated timestamptz not null,
    primary key (account_id, provider)
);

-- Accounts' own telephony providers. Secrets within the JSON are sealed.
create table telephony_configs (
    account_id text not null,
    provider text not null,
    config json not null,
    updated timestamptz not null,
    primary key (account_id, provider)
);
