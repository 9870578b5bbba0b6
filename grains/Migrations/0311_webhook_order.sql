-- Whether an earlier event of the same call still waits is asked for each row that is claimed. Without an index that is plainly the best, a planner that has
-- not yet counted the rows of a sudden backlog reads all of it each time.
create index webhook_outbox_order on webhook_outbox (call_id, position) where outcome is null;
