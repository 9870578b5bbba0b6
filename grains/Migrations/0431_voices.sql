-- Accounts' own voices. Rows, not grains, as tools are: nothing of a voice runs, and its name is unique at once for all gateways.
create table voices (
    voice_id uuid primary key,
    account_id text not null,
    name text not null,
    -- The name in capitals, by which voices are found and told apart.
    name_key text not null,
    description text,
    primary_language text,
    -- Secrets within the JSON are sealed.
    definition json not null,
    -- The sample's blob, where the voice was cloned from one.
    sample text,
    -- The clone belongs to the server's account at the provider, not to the tenant's.
    server_key boolean not null default false,
    created timestamptz not null
);
create unique index voices_by_name on voices (account_id, name_key);
