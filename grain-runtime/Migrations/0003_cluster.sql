-- One row per life of a process. It is alive while lease_until lies ahead by this database's clock: no other clock is asked.
CREATE TABLE silos (
    id             text        PRIMARY KEY,
    name           text        NOT NULL,
    version        text        NOT NULL,
    address        text,
    roles          text[]      NOT NULL,
    labels         jsonb       NOT NULL,
    grain_types    text[]      NOT NULL,
    activations    integer     NOT NULL DEFAULT 0,
    max_activations integer    NOT NULL,
    draining       boolean     NOT NULL DEFAULT false,
    started        timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until    timestamptz NOT NULL
);
-- Which silo may activate a grain and write its state. A row whose silo is not alive belongs to the next that asks for it.
CREATE SEQUENCE grain_epochs;
CREATE TABLE grain_directory (
    grain_type text   NOT NULL,
    grain_key  text   NOT NULL,
    silo       text   NOT NULL,
    epoch      bigint NOT NULL,
    PRIMARY KEY (grain_type, grain_key)
);
CREATE INDEX grain_directory_silo ON grain_directory (silo);
-- The silo that delivers the reminder: when it is dead its lease counts no longer. NULL outside of a cluster.
ALTER TABLE grain_reminders ADD COLUMN lease_owner text;
