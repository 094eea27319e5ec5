-- lock: One that closes, decides or adjusts at a site at a time.
SELECT pg_advisory_xact_lock(hashtextextended('months of ' || current_setting('seatwatch.site'), 0));

-- pins: The last record, pointer and decision that are known; with them a month can be seen again as it stands now.
SELECT (SELECT coalesce(max(n), 0) FROM record) AS records,
       (SELECT coalesce(max(n), 0) FROM run_pointer) AS pointers,
       (SELECT coalesce(max(n), 0) FROM decision) AS decisions,
       (SELECT coalesce(max(n), 0) FROM adjustment) AS adjustments;

-- add: Note from what a month was closed.
INSERT INTO closing (month, now, engine, site, pack, packs, shadow, overlay, records, pointers, decisions, cards_sha,
                     cards)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- closings: Closed months, the earliest first.
SELECT month, now, engine, site, pack, packs, shadow, overlay, records, pointers, decisions, cards_sha, cards, actor,
       made_at FROM closing ORDER BY month;

-- stand: Keep what months came to as a closing knew them.
INSERT INTO standing (closing, body) VALUES ($1, $2);

-- stood: What months came to as a closing knew them.
SELECT body FROM standing WHERE closing = $1;

-- cards: The cards of a closed month as they were frozen, in the order of their subjects.
SELECT run.subject, run.card, run.card_sha FROM run
 WHERE run.subject LIKE 'month:' || $1 || '/%' ORDER BY run.subject COLLATE "C";

-- decide: Keep what a person decided about a recommendation.
INSERT INTO decision (month, agent, kind, state, reason) VALUES ($1, $2, $3, $4, $5);

-- decisions: What was decided, in order, up to a number.
SELECT n, month, agent, kind, state, reason, actor, made_at FROM decision
 WHERE $1::bigint IS NULL OR n <= $1 ORDER BY n;

-- adjust: Keep an adjustment for a closed month.
INSERT INTO adjustment (month, carried, agent, points, pay, reason) VALUES ($1, $2, $3, $4, $5, $6);

-- adjustments: What was adjusted by hand, in order.
SELECT n, month, carried, agent, points, pay, reason, actor, made_at FROM adjustment ORDER BY n;

-- calls: Calls and absences of somebody between two days, each with the run that counted when a pointer was the last.
SELECT run.subject, run.agent, run.day, fact_set.body AS facts
  FROM run JOIN fact_set ON fact_set.sha = run.facts_sha
 WHERE run.day BETWEEN $2 AND $3 AND run.agent IS NOT DISTINCT FROM $1 AND run.subject NOT LIKE 'month:%'
   AND run.id = (SELECT move.run FROM run_pointer move WHERE move.subject = run.subject AND move.n <= $4
                  ORDER BY move.n DESC LIMIT 1)
 ORDER BY run.subject COLLATE "C";

-- call: One call or absence by its id, with the run that counted when a pointer was the last.
SELECT run.subject, run.agent, run.day, fact_set.body AS facts
  FROM run_pointer move JOIN run ON run.id = move.run JOIN fact_set ON fact_set.sha = run.facts_sha
 WHERE move.subject IN ('call:' || $1, 'away:' || $1, 'chat:' || $1) AND move.n <= $2 AND run.day IS NOT NULL
 ORDER BY move.n DESC LIMIT 1;

-- known: Which of these ids have a run.
SELECT DISTINCT substr(move.subject, strpos(move.subject, ':') + 1) AS id FROM run_pointer move
 WHERE move.n <= $2 AND move.subject NOT LIKE 'month:%'
   AND substr(move.subject, strpos(move.subject, ':') + 1) = ANY($1::text[]);

-- span: Everybody with a run, and its first and last day.
SELECT run.agent, min(run.day) AS first, max(run.day) AS last FROM run
 WHERE run.day IS NOT NULL AND run.subject NOT LIKE 'month:%'
   AND EXISTS (SELECT FROM run_pointer move WHERE move.run = run.id AND move.n <= $1)
 GROUP BY run.agent ORDER BY run.agent;

-- records: Records up to a number, in the order of taking, each with its number.
SELECT record.n, record.body FROM record WHERE record.n > $1 AND record.n <= $2 ORDER BY record.n;
