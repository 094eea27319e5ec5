-- add: Keep a transcript for ever; the same audio by the same engine, model and parameters is kept once.
INSERT INTO transcript (id, call, audio_sha, engine, model_sha, params_sha, language, synthetic, duration_ms, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (site_id, call, audio_sha, engine, model_sha, params_sha) DO NOTHING RETURNING id;

-- find: The transcript that this audio, engine, model and parameters have given.
SELECT id, call, audio_sha, engine, model_sha, params_sha, language, synthetic, duration_ms, body, made_at
  FROM transcript WHERE call = $1 AND audio_sha = $2 AND engine = $3 AND model_sha = $4 AND params_sha = $5;

-- of_call: The transcripts of a call, newest first.
SELECT id, call, audio_sha, engine, model_sha, params_sha, language, synthetic, duration_ms, body, made_at
  FROM transcript WHERE call = $1 ORDER BY n DESC;
