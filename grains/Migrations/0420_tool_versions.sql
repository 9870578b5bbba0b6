-- Rises with every change of a tool, for conditional writes.
alter table tools add column version bigint not null default 0;
