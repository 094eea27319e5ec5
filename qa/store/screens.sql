-- newest: Calls as the screens list them, newest first, with what their current run says.
SELECT * FROM (
    SELECT call.id, call.at, call.agent, call.seat, call.queue, call.direction, call.ringing_at, call.offered_at,
           call.answered_at, call.ended_at, call.conclusion, call.hung_up_by, call.conversation, call.orphan,
           call.concluded, call.folded,
           call.conversation IS NOT NULL AND EXISTS (
               SELECT FROM call AS one WHERE (one.id = call.conversation OR one.conversation = call.conversation)
                  AND json_array_length(one.folded -> 'record' -> 'transfers') > 0) AS transferred,
           run.automatic, run.counted, run.assumed, run.unknown, coalesce(run.flagged, 0) AS flagged, run.card,
           fact_set.body AS facts,
           EXISTS (SELECT FROM recording WHERE recording.call = call.id AND recording.dropped_at IS NULL) AS recorded,
           CASE WHEN call.state = 'failed' THEN 'failed'
                WHEN run.id IS NOT NULL THEN 'scored'
                WHEN EXISTS (SELECT FROM transcript WHERE transcript.call = call.id) THEN 'transcribed'
                WHEN EXISTS (SELECT FROM recording WHERE recording.call = call.id) THEN 'recorded'
                WHEN call.ended_at IS NOT NULL OR call.state <> 'live' THEN 'ended'
                ELSE 'live' END AS stage
      FROM call
      LEFT JOIN current_run ON current_run.subject = 'call:' || call.id
      LEFT JOIN run ON run.id = current_run.run
      LEFT JOIN fact_set ON fact_set.sha = run.facts_sha
     WHERE (call.concluded IS DISTINCT FROM 'withdrawn' OR ($11::text = 'adopted' AND call.orphan = 'adopted'))
       AND ($11::text IS NULL
            OR CASE $11 WHEN 'missed' THEN (call.folded ->> 'missed') IS NOT NULL
                        WHEN 'later' THEN call.conversation IS NOT NULL AND (call.folded ->> 'missed') IS NULL
                        WHEN 'orphan' THEN call.orphan IS NOT NULL
                        WHEN 'unended' THEN call.concluded IS NOT NULL
                        ELSE call.orphan = replace($11, '_', ' ') END)
       AND ($1::text IS NULL OR call.agent = $1)
       AND ($10::boolean IS NULL OR (call.agent IS NULL) = $10)
       AND ($2::date IS NULL OR call.day = $2)
       AND ($3::text IS NULL OR position(lower($3) IN lower(call.id)) > 0)
       AND ($4::boolean IS NULL OR (coalesce(run.flagged, 0) > 0) = $4)
       AND ($5::text IS NULL
            OR ($5 = 'unknown' AND run.unknown > 0)
            OR ($5 = 'clear' AND run.unknown = 0 AND run.flagged = 0)
            OR EXISTS (SELECT FROM entry
                        WHERE entry.run = run.id AND entry.reverses IS NULL
                          AND CASE $5 WHEN 'breach' THEN entry.outcome = 'breach' AND (entry.decide = 'auto' OR entry.counts)
                                      WHEN 'review' THEN entry.decide = 'review' AND NOT entry.counts
                                      WHEN 'met' THEN entry.outcome = 'met'
                                      ELSE false END))
       AND ($6::timestamptz IS NULL OR (call.at, call.id) < ($6, $7::text))
) AS listed
 WHERE ($8::text IS NULL OR stage = $8)
 ORDER BY at DESC, id DESC LIMIT $9;

-- one: One call as the screens list it.
SELECT call.id, call.at, call.agent, call.seat, call.queue, call.direction, call.ringing_at, call.offered_at,
       call.answered_at, call.ended_at, call.conclusion, call.hung_up_by, call.conversation, call.orphan,
       call.concluded, call.folded,
       call.conversation IS NOT NULL AND EXISTS (
           SELECT FROM call AS one WHERE (one.id = call.conversation OR one.conversation = call.conversation)
              AND json_array_length(one.folded -> 'record' -> 'transfers') > 0) AS transferred,
       run.automatic, run.counted, run.assumed, run.unknown, coalesce(run.flagged, 0) AS flagged, run.card,
       fact_set.body AS facts,
       EXISTS (SELECT FROM recording WHERE recording.call = call.id AND recording.dropped_at IS NULL) AS recorded,
       CASE WHEN call.state = 'failed' THEN 'failed'
            WHEN run.id IS NOT NULL THEN 'scored'
            WHEN EXISTS (SELECT FROM transcript WHERE transcript.call = call.id) THEN 'transcribed'
            WHEN EXISTS (SELECT FROM recording WHERE recording.call = call.id) THEN 'recorded'
            WHEN call.ended_at IS NOT NULL OR call.state <> 'live' THEN 'ended'
            ELSE 'live' END AS stage
  FROM call
  LEFT JOIN current_run ON current_run.subject = 'call:' || call.id
  LEFT JOIN run ON run.id = current_run.run
  LEFT JOIN fact_set ON fact_set.sha = run.facts_sha
 WHERE call.id = $1;

-- moved: Calls with news in the past so many seconds: folded, recorded, heard or scored.
SELECT id FROM call WHERE folded_at >= now() - make_interval(secs => $1::float8)
 UNION SELECT call FROM recording WHERE made_at >= now() - make_interval(secs => $1::float8)
 UNION SELECT call FROM transcript WHERE made_at >= now() - make_interval(secs => $1::float8)
 UNION SELECT substr(subject, 6) FROM current_run
        WHERE moved_at >= now() - make_interval(secs => $1::float8) AND subject LIKE 'call:%';

-- totals: How many calls and seat episodes there are, by what became of them.
SELECT count(*) AS calls,
       count(*) FILTER (WHERE call.ended_at IS NULL AND run.id IS NULL AND call.state = 'live') AS live,
       count(run.id) AS scored,
       count(*) FILTER (WHERE run.flagged > 0) AS flagged,
       count(*) FILTER (WHERE run.unknown > 0) AS unknown,
       count(*) FILTER (WHERE run.assumed) AS assumed,
       count(*) FILTER (WHERE call.state = 'failed') AS failed,
       count(*) FILTER (WHERE call.agent IS NULL) AS unassigned,
       count(*) FILTER (WHERE call.orphan IS NOT NULL) AS orphans,
       (SELECT count(*) FROM away) AS episodes
  FROM call
  LEFT JOIN current_run ON current_run.subject = 'call:' || call.id
  LEFT JOIN run ON run.id = current_run.run
 WHERE call.concluded IS DISTINCT FROM 'withdrawn';

-- agents: Everybody who has a call here.
SELECT DISTINCT agent FROM call WHERE agent IS NOT NULL ORDER BY agent LIMIT 1000;

-- used: The pack and the overlay of the newest run of a call or absence.
SELECT pack.id AS pack, pack.version, overlay.body AS overlay
  FROM run JOIN pack ON pack.sha = run.pack_sha JOIN overlay ON overlay.sha = run.overlay_sha
 WHERE run.subject NOT LIKE 'month:%' ORDER BY run.seq DESC LIMIT 1;

-- episodes: Stretches in which nobody was at a seat, newest first, with their current run.
SELECT away.id, away.seat, away.agent, away.at, away.until_at, away.away_ms, away.ready_ms, away.status, away.source,
       run.card, run.inputs, run.seq, run.made_at
  FROM away
  LEFT JOIN current_run ON current_run.subject = 'away:' || away.id
  LEFT JOIN run ON run.id = current_run.run
 ORDER BY away.at DESC, away.id DESC LIMIT $1;
