-- add: Keep where a call's audio lies; the same audio again changes nothing.
INSERT INTO recording (id, call, path, audio_sha, format, rate, channels, size_bytes, duration_ms, answer_ms, roles, gaps,
                       origin_at, rings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (site_id, call, audio_sha) DO NOTHING RETURNING id;

-- of_call: The recordings of a call that are kept, newest first.
SELECT id, call, path, audio_sha, format, rate, channels, size_bytes, duration_ms, answer_ms, roles, gaps, origin_at,
       made_at, rings
  FROM recording WHERE call = $1 AND dropped_at IS NULL ORDER BY made_at DESC, id DESC;

-- align: Say anew where in a call's recordings the answer lies and what is missing; the sound is the same.
UPDATE recording SET answer_ms = $2, gaps = $3, actor = current_setting('seatwatch.actor')
 WHERE call = $1 AND dropped_at IS NULL;

-- rang: Say what rings in a recording before the answer.
UPDATE recording SET rings = $2, actor = current_setting('seatwatch.actor') WHERE id = $1;

-- drop: The file of a recording is gone; the row stays.
UPDATE recording SET dropped_at = now(), actor = current_setting('seatwatch.actor')
 WHERE id = $1 AND dropped_at IS NULL;

-- every: Every recording that is kept, for backups and checks.
SELECT id, call, path, audio_sha, format, rate, channels, size_bytes, duration_ms, answer_ms, roles, gaps, origin_at,
       made_at, rings
  FROM recording WHERE dropped_at IS NULL ORDER BY path;
