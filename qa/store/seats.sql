-- forget: Drop what was folded of a seat from an instant on.
DELETE FROM seat_state WHERE seat = $1 AND ($2::timestamptz IS NULL OR at >= $2);

-- keep: Keep a stretch of a seat's state or presence.
INSERT INTO seat_state (seat, kind, at, until_at, value, reason, confidence, source, agent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (site_id, seat, kind, at) DO UPDATE SET
    until_at = excluded.until_at, value = excluded.value, reason = excluded.reason,
    confidence = excluded.confidence, source = excluded.source, agent = excluded.agent, actor = excluded.actor;

-- history: A seat's stretches between two instants.
SELECT seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE seat = $1 AND at < $3 AND (until_at IS NULL OR until_at > $2) ORDER BY kind, at;

-- wrap_up: What a seat did after a call, as it was seen: the wrap-up that began with the call's end.
SELECT at, until_at FROM seat_state
 WHERE seat = $1 AND kind = 'status' AND value = 'wrap_up' AND confidence <> 'inferred'
   AND at BETWEEN $2::timestamptz - interval '2 seconds' AND $2::timestamptz + interval '5 seconds'
 ORDER BY at LIMIT 1;

-- now: What every seat is in, as far as folded.
SELECT seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE until_at IS NULL ORDER BY seat, kind;

-- forget_away: Drop episodes of a seat that a new folding no longer finds.
DELETE FROM away
 WHERE seat = $1 AND NOT id = ANY ($2::text[]) AND ($3::timestamptz IS NULL OR at >= $3);

-- away: Put an episode in place of what was folded before.
INSERT INTO away (id, seat, agent, at, until_at, day, away_ms, ready_ms, status, source, contradicted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (site_id, id) DO UPDATE SET
    seat = excluded.seat, agent = excluded.agent, at = excluded.at, until_at = excluded.until_at, day = excluded.day,
    away_ms = excluded.away_ms, ready_ms = excluded.ready_ms, status = excluded.status, source = excluded.source,
    contradicted = excluded.contradicted, actor = excluded.actor, folded_at = now();

-- get_away: One episode.
SELECT id, seat, agent, at, until_at, day, away_ms, ready_ms, status, source, contradicted FROM away WHERE id = $1;

-- page_away: Episodes, newest first.
SELECT id, seat, agent, at, until_at, day, away_ms, ready_ms, status, source, contradicted FROM away
 WHERE ($1::timestamptz IS NULL OR (at, id) < ($1, $2::text)) AND ($3::text IS NULL OR seat = $3)
 ORDER BY at DESC, id DESC LIMIT $4;

-- checkpoint: From which instant on a seat's history is folded.
SELECT at FROM seat_fold WHERE seat = $1;

-- check: Fold a seat's history from another instant on.
INSERT INTO seat_fold (seat, at) VALUES ($1, $2)
ON CONFLICT (site_id, seat) DO UPDATE SET at = excluded.at, actor = excluded.actor;

-- last_before: A seat's newest stretch of each kind that began before an instant.
SELECT DISTINCT ON (kind) seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE seat = $1 AND at < $2 ORDER BY kind, at DESC;

-- since: A seat's stretches that began at an instant or after it.
SELECT seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE seat = $1 AND at >= $2 ORDER BY kind, at;
