-- cursor: Up to which row a spool file has been carried here.
SELECT upto FROM spool_cursor WHERE spool = $1;

-- hold: The same, making the row and holding it until the transaction ends.
INSERT INTO spool_cursor (spool, upto) VALUES ($1, 0)
ON CONFLICT (site_id, spool) DO UPDATE SET upto = spool_cursor.upto RETURNING upto;

-- move: A spool file has been carried up to this row.
UPDATE spool_cursor SET upto = $2, actor = current_setting('seatwatch.actor'), moved_at = now() WHERE spool = $1;

-- mark: Keep the start, a gap or the end of a leg.
INSERT INTO leg_mark (spool, n, kind, source, call, leg, seq, at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (site_id, spool, n) DO NOTHING;

-- holds: A spool file has rows of this leg.
INSERT INTO spool_call (spool, call, leg) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- marks: The marks of a call's legs in the order they were written, those under one-time names too.
SELECT spool, n, kind, source, call, leg, seq, at, body FROM leg_mark
 WHERE call = $1 OR call IN (SELECT name FROM leg_name WHERE leg_name.call = $1) ORDER BY call, leg, spool, n;

-- unassembled: Calls with rows in a spool file that have no recording yet; while there are any, the file stays.
SELECT DISTINCT coalesce(leg_name.call, held.call) AS call
  FROM spool_call AS held LEFT JOIN leg_name ON leg_name.name = held.call
 WHERE held.spool = $1
   AND NOT EXISTS (SELECT FROM recording WHERE recording.call = coalesce(leg_name.call, held.call))
 ORDER BY 1;

-- bind: A one-time name stands for a leg; the first word keeps it.
INSERT INTO leg_name (name, call, leg) VALUES ($1, $2, $3) ON CONFLICT (site_id, name) DO NOTHING;

-- bound: The call and leg that a one-time name stands for.
SELECT call, leg FROM leg_name WHERE name = $1;

-- of_call: The spool files that have rows of a call.
SELECT DISTINCT spool FROM spool_call
 WHERE call = $1 OR call IN (SELECT name FROM leg_name WHERE leg_name.call = $1) ORDER BY spool;

-- known: Every spool file and how far it has been carried.
SELECT spool, upto FROM spool_cursor ORDER BY spool;
