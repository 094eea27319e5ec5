-- put: Keep a pack for ever.
INSERT INTO pack (sha, id, version, body, body_sha) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (site_id, sha) DO NOTHING;

-- get: A pack by its fingerprint.
SELECT sha, id, version, body, body_sha FROM pack WHERE sha = $1;

-- put_overlay: Keep an overlay for ever.
INSERT INTO overlay (sha, body, body_sha) VALUES ($1, $2, $3) ON CONFLICT (site_id, sha) DO NOTHING;

-- overlay: An overlay by its fingerprint.
SELECT sha, body, body_sha FROM overlay WHERE sha = $1;

-- put_facts: Keep the facts of a run.
INSERT INTO fact_set (sha, body) VALUES ($1, $2) ON CONFLICT (site_id, sha) DO NOTHING;

-- publish_lock: One that publishes at a site at a time.
SELECT pg_advisory_xact_lock(hashtextextended('packs of ' || current_setting('seatwatch.site'), 0));

-- closed_until: The last day of the newest closed period.
SELECT max(to_day) FROM period WHERE closed_at IS NOT NULL;

-- scored_since: Calls and absences from a day on, in the order in which their current runs were made.
SELECT run.seq, run.subject, run.pack_sha FROM run JOIN current_run ON current_run.run = run.id
 WHERE run.day >= $1 AND run.subject NOT LIKE 'month:%' AND run.seq > $2
 ORDER BY run.seq LIMIT $3;
