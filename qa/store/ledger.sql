-- lock: One ledger writer per site until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('ledger/' || current_setting('seatwatch.site'), 0));

-- hold_subject: One scorer per subject until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('subject/' || current_setting('seatwatch.site') || '/' || $1::text, 0));

-- head: Number and hash of the last row of the chain, and the time of the transaction.
SELECT seq, hash, now() AS at FROM chain_head;

-- same: The run of a subject with these inputs, if it was made.
SELECT id FROM run WHERE subject = $1 AND inputs = $2;

-- pointed: The run that is current for a subject.
SELECT run FROM current_run WHERE subject = $1;

-- point: Make a run the current one of its subject.
INSERT INTO current_run (subject, run) VALUES ($1, $2)
ON CONFLICT (site_id, subject) DO UPDATE SET run = excluded.run, actor = excluded.actor, moved_at = now();

-- add_run: Write a run at the end of the chain.
INSERT INTO run (id, subject, inputs, engine, pack_sha, overlay_sha, facts_sha, day, at, agent, seat, card, card_sha,
                 automatic, counted, assumed, unknown, flagged, made_at, seq, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22);

-- add_entry: Write an entry at the end of the chain.
INSERT INTO entry (id, run, subject, agent, rule, event, cite, outcome, decide, counts, points, assumed, evidence, day,
                   origin, reverses, depth, made_at, seq, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21);

-- last_of_run: For each scoring entry of a run the last of itself, its reversal, its restoring …
SELECT DISTINCT ON (entry.origin) entry.*
  FROM entry JOIN entry AS first ON first.id = entry.origin
 WHERE first.run = $1 ORDER BY entry.origin, entry.depth DESC;

-- run: One run with its card.
SELECT run.*, fact_set.body AS facts, pack.id AS pack, pack.version AS pack_version,
       EXISTS (SELECT FROM current_run WHERE current_run.run = run.id) AS is_current
  FROM run JOIN fact_set ON fact_set.sha = run.facts_sha JOIN pack ON pack.sha = run.pack_sha
 WHERE run.id = $1;

-- current: The current run of a subject with its card.
SELECT run.*, fact_set.body AS facts, pack.id AS pack, pack.version AS pack_version, true AS is_current
  FROM current_run JOIN run ON run.id = current_run.run
  JOIN fact_set ON fact_set.sha = run.facts_sha JOIN pack ON pack.sha = run.pack_sha
 WHERE current_run.subject = $1;

-- runs: Runs in the order they were made, after a number, with what replays them; one subject's or all.
SELECT run.*, fact_set.body AS facts, pack.id AS pack, pack.version AS pack_version,
       EXISTS (SELECT FROM current_run WHERE current_run.run = run.id) AS is_current
  FROM run JOIN fact_set ON fact_set.sha = run.facts_sha JOIN pack ON pack.sha = run.pack_sha
 WHERE run.seq > $1 AND ($2::text IS NULL OR run.subject = $2) ORDER BY run.seq LIMIT $3;

-- entries: All entries of a subject in the order of the chain.
SELECT * FROM entry WHERE subject = $1 ORDER BY seq;

-- chain_runs: Runs of a stretch of the chain with the bytes they vouch for.
SELECT run.*, fact_set.body AS facts FROM run JOIN fact_set ON fact_set.sha = run.facts_sha
 WHERE run.seq > $1 AND run.seq <= $2 ORDER BY run.seq;

-- chain_entries: Entries of a stretch of the chain.
SELECT * FROM entry WHERE seq > $1 AND seq <= $2 ORDER BY seq;

-- beyond: Rows behind the head, which cannot be.
SELECT (SELECT count(*) FROM run WHERE seq > $1) + (SELECT count(*) FROM entry WHERE seq > $1);

-- strayed: Subjects whose pointer names a run whose entries are not in force, or leaves another run's in force.
WITH last AS (
    SELECT DISTINCT ON (entry.origin) first.run, entry.subject, entry.depth
      FROM entry JOIN entry AS first ON first.id = entry.origin ORDER BY entry.origin, entry.depth DESC)
SELECT DISTINCT last.subject FROM last LEFT JOIN current_run ON current_run.subject = last.subject
 WHERE (last.depth % 2 = 0) IS DISTINCT FROM (current_run.run = last.run)
 UNION SELECT run.subject FROM run LEFT JOIN current_run ON current_run.subject = run.subject
 WHERE current_run.run IS NULL
 ORDER BY 1;

-- booked: The day on which an entry is booked: its own, or the first after all closed periods when it lies in one.
SELECT CASE WHEN EXISTS (SELECT FROM period WHERE closed_at IS NOT NULL AND $1::date BETWEEN from_day AND to_day)
            THEN (SELECT max(to_day) + 1 FROM period WHERE closed_at IS NOT NULL) ELSE $1::date END;

-- add_period: Make a period; one that stands is left as it is.
INSERT INTO period (id, from_day, to_day) VALUES ($1, $2, $3)
ON CONFLICT (site_id, id) DO NOTHING;

-- shut_period: Close a period and note the head of the chain.
UPDATE period SET closed_at = now(), closed_by = current_setting('seatwatch.actor'),
       actor = current_setting('seatwatch.actor'), head_seq = chain_head.seq, head_hash = chain_head.hash
  FROM chain_head WHERE period.id = $1;
