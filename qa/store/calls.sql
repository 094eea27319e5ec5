-- upsert: Put a call as it was folded in place of what was folded before; while it goes on, what its legs report stays.
INSERT INTO call (id, state, direction, agent, seat, queue, number, at, day, offered_at, ringing_at, answered_at,
                  ended_at, conclusion, hung_up_by, conversation, orphan, concluded, folded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (site_id, id) DO UPDATE SET
    state = excluded.state, direction = excluded.direction, agent = excluded.agent, seat = excluded.seat,
    queue = excluded.queue, number = excluded.number, at = excluded.at, day = excluded.day,
    offered_at = excluded.offered_at, ringing_at = excluded.ringing_at, answered_at = excluded.answered_at,
    ended_at = excluded.ended_at, conclusion = excluded.conclusion, hung_up_by = excluded.hung_up_by,
    conversation = excluded.conversation, orphan = excluded.orphan, concluded = excluded.concluded,
    folded = CASE WHEN excluded.state = 'live' AND call.folded -> 'levels' IS NOT NULL
                  THEN (excluded.folded::jsonb || jsonb_build_object('levels', call.folded -> 'levels'))::json
                  ELSE excluded.folded END,
    actor = excluded.actor, folded_at = now();

-- level: Since when a leg of a call carries no voice, while the call goes on; what is being folded now is passed over.
UPDATE call SET folded = (folded::jsonb || jsonb_build_object(
           'levels', coalesce(folded::jsonb -> 'levels', '{}') || $2::text::jsonb))::json
 WHERE id IN (SELECT id FROM call
               WHERE (id = $1 OR conversation = $1) AND state = 'live' AND answered_at IS NOT NULL AND ended_at IS NULL
               ORDER BY id FOR UPDATE SKIP LOCKED)
RETURNING id;

-- get: One call as it was folded.
SELECT id, state, direction, agent, seat, queue, number, at, day, offered_at, ringing_at, answered_at, ended_at,
       conclusion, hung_up_by, conversation, orphan, concluded, folded FROM call WHERE id = $1;

-- parts: All parts of a conversation, the first one under the conversation's own id.
SELECT id, state, direction, agent, seat, queue, number, at, day, offered_at, ringing_at, answered_at, ended_at,
       conclusion, hung_up_by, conversation, orphan, concluded, folded FROM call
 WHERE id = $1 OR conversation = $1 ORDER BY conversation NULLS FIRST, at, id;

-- at_seat: Conversations with a part at a seat since an instant, to be folded again.
SELECT DISTINCT coalesce(conversation, id) AS id FROM call WHERE seat = $1 AND at >= $2;

-- page: Calls, newest first, with the totals of the current run.
SELECT call.id, call.state, call.direction, call.agent, call.seat, call.queue, call.number, call.at, call.day,
       call.offered_at, call.ringing_at, call.answered_at, call.ended_at, call.conclusion, call.hung_up_by,
       call.conversation, call.orphan, call.concluded, call.folded,
       run.id AS run, run.automatic, run.counted, run.assumed, run.unknown, run.flagged
  FROM call
  LEFT JOIN current_run ON current_run.subject = 'call:' || call.id
  LEFT JOIN run ON run.id = current_run.run
 WHERE ($1::timestamptz IS NULL OR (call.at, call.id) < ($1, $2::text))
   AND ($3::text IS NULL OR call.agent = $3)
   AND ($4::date IS NULL OR call.day = $4)
   AND ($5::text IS NULL OR call.state = $5)
   AND ($6::boolean IS NULL OR (coalesce(run.flagged, 0) > 0) = $6)
   AND ($7::text IS NULL OR call.seat = $7)
   AND ($8::text IS NULL OR call.direction = $8)
 ORDER BY call.at DESC, call.id DESC LIMIT $9;

-- count: How many calls are stored, by state.
SELECT state, count(*) AS calls FROM call GROUP BY state;
