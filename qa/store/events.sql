-- append: Keep one event; a second one of the same source and id is dropped.
INSERT INTO event (source, id, at, seq, type, call, leg, seat, agent, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (site_id, source, id) DO NOTHING RETURNING n;

-- due: Say that a call or a seat must be folded again.
INSERT INTO due (kind, id, from_at) VALUES ($1, $2, $3)
ON CONFLICT (site_id, kind, id) DO UPDATE SET from_at =
    CASE WHEN due.from_at IS NOT NULL AND excluded.from_at IS NOT NULL THEN least(due.from_at, excluded.from_at) END;

-- take_due: Claim what must be folded again, oldest first; what another worker holds is passed over.
WITH claimed AS (
    SELECT kind, id, since FROM due ORDER BY since, kind, id LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM due USING claimed WHERE due.kind = claimed.kind AND due.id = claimed.id
RETURNING due.kind, due.id, due.since, due.from_at;

-- count_due: How much waits to be folded.
SELECT count(*) FROM due;

-- for_call: The events of a call in the order they are folded.
SELECT source, id, n, at, seq, type, call, leg, seat, agent, body FROM event
 WHERE call = $1 ORDER BY source, at, seq NULLS LAST, n;

-- for_seat: The events of a seat in the order they are folded, and which of them later news take back.
-- One that came before its own time is taken back by news of the same kind whose clock was right, and which came while
-- that time was still to come.
SELECT source, id, n, at, seq, type, call, leg, seat, agent, body,
       CASE WHEN at > stored_at + $3::interval THEN EXISTS (
           SELECT FROM event AS news
            WHERE news.seat = event.seat AND news.type = event.type AND news.n > event.n
              AND news.at > event.stored_at - $3::interval AND news.at < event.at
              AND news.at <= news.stored_at + $3::interval AND news.stored_at < event.at)
       ELSE false END AS taken_back
  FROM event
 WHERE seat = $1 AND ($2::timestamptz IS NULL OR at >= $2) ORDER BY source, at, seq NULLS LAST, n;

-- newest: The newest events, for a look at what arrives.
SELECT source, id, n, at, seq, type, call, leg, seat, agent, body FROM event ORDER BY n DESC LIMIT $1;
