-- lock: One that adds records to a site at a time, so that each is judged by all that stand.
SELECT pg_advisory_xact_lock(hashtextextended('records of ' || current_setting('seatwatch.site'), 0));

-- related: Every version of the records of these ids, and every step of these cases.
SELECT record.body FROM record
 WHERE record.chain IN (SELECT one.chain FROM record one WHERE one.id = ANY($1::text[]))
    OR record.case_id = ANY($2::text[])
 ORDER BY record.n;

-- deliver: Note an import.
INSERT INTO delivery (id, name, accepted, duplicates, refused) VALUES ($1, $2, $3, $4, $5);

-- add: Keep a version of a record.
INSERT INTO record (id, chain, version, kind, agent, team, day, case_id, void, body, delivery)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- all: Everything that was taken up to a number, in the order of taking.
SELECT record.body FROM record WHERE $1::bigint IS NULL OR record.n <= $1 ORDER BY record.n;

-- newest: The number of the last record that was taken; 0 without one.
SELECT coalesce(max(n), 0) FROM record;

-- page: Records that hold now (or withdrawals that do), the last taken first.
SELECT record.n, record.body, record.version, record.actor, record.made_at FROM record
 WHERE record.void = $9::boolean
   AND NOT EXISTS (SELECT FROM record later WHERE later.chain = record.chain AND later.version = record.version + 1)
   AND ($1::text IS NULL OR record.kind = $1)
   AND ($2::text IS NULL OR record.agent = $2)
   AND ($3::text IS NULL OR record.case_id = $3)
   AND ($4::date IS NULL OR record.day >= $4)
   AND ($5::date IS NULL OR record.day <= $5)
   AND ($6::bigint IS NULL OR record.n < $6)
   AND ($8::text IS NULL OR record.body ->> 'source' = $8)
 ORDER BY record.n DESC LIMIT $7;

-- people: Everybody who stands in a call or a record; each name is one step through the index.
WITH RECURSIVE named AS (
  (SELECT agent FROM record WHERE agent IS NOT NULL ORDER BY agent LIMIT 1)
  UNION ALL
  SELECT (SELECT agent FROM record WHERE agent > named.agent ORDER BY agent LIMIT 1) FROM named
   WHERE named.agent IS NOT NULL
)
SELECT agent FROM named WHERE agent IS NOT NULL
 UNION SELECT agent FROM call WHERE agent IS NOT NULL
 ORDER BY agent LIMIT 5000;

-- versions: A record with all that replaced or preceded it, oldest first.
SELECT record.n, record.body, record.version, record.actor, record.made_at FROM record
 WHERE record.chain = (SELECT one.chain FROM record one WHERE one.id = $1 LIMIT 1)
 ORDER BY record.version;

-- deliveries: The last imports.
SELECT id, name, accepted, duplicates, refused, actor, made_at FROM delivery ORDER BY made_at DESC, id LIMIT $1;

-- connect: Say since when a register is connected; NULL says that it is not.
INSERT INTO register (name, since) VALUES ($1, $2);

-- registers: The registers that are connected, with their first day.
SELECT name, since FROM (SELECT DISTINCT ON (name) name, since FROM register ORDER BY name, n DESC) newest
 WHERE since IS NOT NULL ORDER BY name;
