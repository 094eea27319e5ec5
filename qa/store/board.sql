-- ring: Tell open boards that a seat or a call has news; they hear it when the transaction commits.
SELECT pg_notify('seatwatch_board', current_setting('seatwatch.site') || '/' || $1::text || '/' || left($2::text, 1000));

-- open: What holds now, of all seats or of some; for a seat where nobody is, when that was last excused.
SELECT held.seat, held.kind, held.at, held.value, held.reason, held.confidence, held.source, held.agent,
       CASE WHEN held.kind = 'presence' AND held.value = 'no' THEN
           (SELECT max(past.until_at) FROM seat_state AS past
             WHERE past.seat = held.seat AND past.kind = 'status' AND past.at > held.at - interval '16 hours'
               AND past.until_at > held.at AND past.value IN ('busy', 'offline', 'talking', 'hold'))
       END AS excused_until
  FROM seat_state AS held
 WHERE held.until_at IS NULL AND ($1::text[] IS NULL OR held.seat = ANY ($1));

-- ahead: What stands at a seat since a time that is still to come.
SELECT seat, at FROM seat_state WHERE until_at IS NULL AND at > now() + $1::interval ORDER BY seat, at;

-- calls: Calls that are going on, all of them or some.
SELECT id, at, direction, seat, agent, queue, offered_at, ringing_at, answered_at, folded FROM call
 WHERE state = 'live' AND ended_at IS NULL AND ($1::text[] IS NULL OR id = ANY ($1));

-- recent: Seats that had a call since an instant.
SELECT DISTINCT seat FROM call WHERE at > $1 AND seat IS NOT NULL;

-- fixed: Whose seat it is today, where no log-in says so.
SELECT seat, agent FROM seat_agent WHERE from_day <= $1 AND (to_day IS NULL OR to_day >= $1) ORDER BY seat, from_day;

-- work: The time lines of some agents since an instant.
SELECT seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE kind = 'status' AND agent = ANY ($1::text[]) AND at > $2 ORDER BY agent, at;

-- lines: The time lines of all seats between two instants.
SELECT seat, kind, at, until_at, value, reason, confidence, source, agent FROM seat_state
 WHERE at < $2 AND (until_at IS NULL OR until_at > $1) ORDER BY seat, kind, at;

-- heard: When anything last came from ingest.
SELECT max(moved_at) FROM spool_cursor;
