-- archive: The current runs of calls and absences in a range of days: first and last number in the chain, how many.
SELECT coalesce(min(run.seq), 0) AS first, coalesce(max(run.seq), 0) AS last, count(*) AS subjects,
       count(DISTINCT run.agent) AS agents
  FROM run JOIN current_run ON current_run.run = run.id
 WHERE run.subject NOT LIKE 'month:%'
   AND ($1::date IS NULL OR run.day >= $1) AND ($2::date IS NULL OR run.day <= $2);

-- stretch: Facts and totals of the current runs of a stretch of the chain, in a range of days.
SELECT run.seq, run.subject, run.agent, run.day, run.engine, run.pack_sha, run.overlay_sha, run.automatic, run.counted,
       run.assumed, run.unknown, fact_set.body
  FROM run JOIN current_run ON current_run.subject = run.subject AND current_run.run = run.id
  JOIN fact_set ON fact_set.sha = run.facts_sha
 WHERE run.seq > $1 AND run.seq <= $2 AND run.subject NOT LIKE 'month:%'
   AND ($3::date IS NULL OR run.day >= $3) AND ($4::date IS NULL OR run.day <= $4)
 ORDER BY run.seq;

-- totals: The same without the facts, where nothing has to be scored anew.
SELECT run.seq, run.subject, run.agent, run.day, run.engine, run.pack_sha, run.overlay_sha, run.automatic, run.counted,
       run.assumed, run.unknown, NULL::bytea AS body
  FROM run JOIN current_run ON current_run.subject = run.subject AND current_run.run = run.id
 WHERE run.seq > $1 AND run.seq <= $2 AND run.subject NOT LIKE 'month:%'
   AND ($3::date IS NULL OR run.day >= $3) AND ($4::date IS NULL OR run.day <= $4)
 ORDER BY run.seq;

-- kinds: Which kinds of facts have come in, with the last day of each: calls, speech, seats, chats, records.
SELECT 'call' AS kind, count(*) AS seen, max(day) AS last FROM call
 UNION ALL
SELECT 'text', count(*), max(made_at)::date FROM transcript
 UNION ALL
SELECT 'seat_status', count(*), max(at)::date FROM seat_state
 UNION ALL
SELECT kind, count(*), max(day) FROM record
 WHERE NOT void AND NOT EXISTS (
       SELECT FROM record later WHERE later.chain = record.chain AND later.version = record.version + 1)
 GROUP BY kind;
