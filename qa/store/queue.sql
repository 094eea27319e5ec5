-- waiting: How many jobs of each kind this site has that are neither finished nor given up.
SELECT entrypoint, count(*) AS jobs FROM pgqueuer
 WHERE status IN ('queued', 'picked')
   AND convert_from(payload, 'UTF8')::json ->> 'site' = current_setting('seatwatch.site')
 GROUP BY entrypoint;

-- failed: The site's jobs that were given up, oldest first.
SELECT id, entrypoint AS name, payload FROM pgqueuer
 WHERE status = 'failed' AND convert_from(payload, 'UTF8')::json ->> 'site' = current_setting('seatwatch.site')
 ORDER BY id LIMIT $1;

-- again: Put one of the site's given-up jobs back to the start.
UPDATE pgqueuer SET status = 'queued', attempts = 0, queue_manager_id = NULL, execute_after = now(), updated = now()
 WHERE id = $1 AND status = 'failed'
   AND convert_from(payload, 'UTF8')::json ->> 'site' = current_setting('seatwatch.site');

-- hold_worker: As long as this connection lives, so does the worker.
SELECT pg_advisory_lock(24231, hashtext($1));

-- free: What workers had in hand that live no more is stale from now on, so that the next one takes it.
UPDATE pgqueuer SET heartbeat = '-infinity'
 WHERE status = 'picked' AND heartbeat > '-infinity' AND NOT EXISTS (
       SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 24231 AND objsubid = 2 AND granted
          AND objid = hashtext(queue_manager_id::text)::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()));
