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
