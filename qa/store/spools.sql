-- cursor: Up to which row a spool file has been carried here.
SELECT upto FROM spool_cursor WHERE spool = $1;

-- hold: The same, making the row and holding it until the transaction ends.
INSERT INTO spool_cursor (spool, upto, home) VALUES ($1, 0, $2)
ON CONFLICT (site_id, spool) DO UPDATE SET upto = spool_cursor.upto, home = coalesce(spool_cursor.home, excluded.home)
RETURNING upto;

-- move: A spool file has been carried up to this row.
UPDATE spool_cursor SET upto = $2, actor = current_setting('seatwatch.actor'), moved_at = now() WHERE spool = $1;

-- mark: Keep the start, a gap or the end of a leg.
INSERT INTO leg_mark (spool, n, kind, source, call, leg, seq, at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (site_id, spool, n) DO NOTHING;

-- holds: A spool file has rows of this leg.
INSERT INTO spool_call (spool, call, leg) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- marks: The marks of a call's legs in the order they were written, those under one-time names too.
SELECT spool, n, kind, source, call, leg, seq, at, body, home FROM leg_mark LEFT JOIN spool_cursor USING (site_id, spool)
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

-- stands: Which spool files were handed over, and whether they were released.
SELECT spool, home, released_at IS NOT NULL AS released FROM spool_cursor
 WHERE spool = ANY ($1) AND handed_at IS NOT NULL;

-- hand: A spool file lies in the folder that all machines share, and is on its disk.
INSERT INTO spool_cursor (spool, upto, home, handed_at) VALUES ($1, 0, $2, now())
ON CONFLICT (site_id, spool) DO UPDATE SET home = coalesce(spool_cursor.home, excluded.home), actor = excluded.actor,
    handed_at = coalesce(spool_cursor.handed_at, excluded.handed_at);

-- awaited: The spool files of a process, from one to another, that are not handed over yet.
SELECT spool FROM spool_cursor
 WHERE home = $1 AND spool >= $2 AND ($3::text IS NULL OR spool <= $3) AND handed_at IS NULL AND released_at IS NULL
 ORDER BY spool;

-- gone: Of spool files that are not to be seen, those that nobody will hand over any more.
SELECT one.spool FROM unnest($1::text[]) AS one (spool) LEFT JOIN spool_cursor ON spool_cursor.spool = one.spool
 WHERE home IS NULL OR released_at IS NOT NULL;

-- holds_all: A spool file has rows of these legs.
INSERT INTO spool_call (spool, call, leg) SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING;

-- calls_in: The calls that have rows in a spool file, by the names they have by now.
SELECT DISTINCT coalesce(leg_name.call, held.call) AS call
  FROM spool_call AS held LEFT JOIN leg_name ON leg_name.name = held.call WHERE held.spool = $1 ORDER BY 1;

-- read: Calls that were assembled with spool files at hand.
INSERT INTO spool_read (spool, call) SELECT unnest($2::text[]), $1 ON CONFLICT DO NOTHING;

-- readers: The calls that were assembled with a spool file at hand.
SELECT call FROM spool_read WHERE spool = $1;

-- release: Nobody needs a spool file any more.
UPDATE spool_cursor SET released_at = now(), actor = current_setting('seatwatch.actor')
 WHERE spool = $1 AND released_at IS NULL;

-- forget_readers: What was assembled with a spool file that is released.
DELETE FROM spool_read WHERE spool = $1;

-- refuse: Audio was kept out of a call, and why; said again it changes nothing.
INSERT INTO refused_audio (call, leg, home, began_at, why) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING call;

-- refused: The audio that was kept out of a call.
SELECT leg, home, began_at, why FROM refused_audio WHERE call = $1 ORDER BY began_at, leg, home;
