-- note: Write down that somebody looks at a call.
INSERT INTO access_log (id, place, call, person, what, purpose, from_ms, to_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- of_call: Who looked at a call, newest first.
SELECT id, at, actor, place, call, person, what, purpose, from_ms, to_ms FROM access_log
 WHERE call = $1 ORDER BY n DESC LIMIT $2;

-- page: Who looked at what, newest first.
SELECT id, at, actor, place, call, person, what, purpose, from_ms, to_ms FROM access_log
 WHERE ($1::timestamptz IS NULL OR (at, id) < ($1, $2::text::uuid)) ORDER BY at DESC, id DESC LIMIT $3;
