-- lease_until is set while one process delivers the reminder: a process that dies leaves it to the next after that time.
CREATE TABLE grain_reminders (
    grain_type  text        NOT NULL,
    grain_key   text        NOT NULL,
    name        text        NOT NULL,
    first_tick  timestamptz NOT NULL,
    period      interval    NOT NULL,
    next_tick   timestamptz NOT NULL,
    lease_until timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    PRIMARY KEY (grain_type, grain_key, name)
);
CREATE INDEX grain_reminders_due ON grain_reminders (next_tick);
