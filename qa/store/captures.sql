-- add: Keep what a list of a day's calls showed.
INSERT INTO capture (day, list, listed, recorded, gaps, no_audio, never_seen, nothing, excluded, refused, unlisted,
                     missing)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- days: The newest finding of each day, newest day first.
SELECT DISTINCT ON (day) day, list, listed, recorded, gaps, no_audio, never_seen, nothing, excluded, refused, unlisted,
       missing, actor, made_at
  FROM capture WHERE day >= $1 AND day <= $2 ORDER BY day DESC, n DESC;

-- known: Every conversation of a stretch of time with the newest recording of each of its parts.
SELECT call.id, call.conversation, call.state, call.at, call.answered_at, call.ended_at, call.conclusion, call.folded,
       sound.duration_ms, sound.answer_ms, sound.gaps
  FROM call
  LEFT JOIN LATERAL (SELECT duration_ms, answer_ms, gaps FROM recording
                      WHERE recording.call = call.id AND dropped_at IS NULL
                      ORDER BY made_at DESC, id DESC LIMIT 1) AS sound ON true
 WHERE call.at >= $1 AND call.at < $2 AND (call.folded ->> 'withdrawn') IS NULL ORDER BY call.at, call.id;
