-- Length of a stage's prompt in tokens, in its first model request and in its latest; null where the model's provider tells none.
alter table call_stages
    add column initial_tokens integer,
    add column latest_tokens integer;
