-- assign: An agent has a fixed seat from a day on, up to a day or for good.
INSERT INTO seat_agent (seat, agent, from_day, to_day) VALUES ($1, $2, $3, $4)
ON CONFLICT (site_id, seat, from_day) DO UPDATE SET
    agent = excluded.agent, to_day = excluded.to_day, actor = excluded.actor, set_at = now();

-- forget: An assignment was a mistake.
DELETE FROM seat_agent WHERE seat = $1 AND from_day = $2;

-- all: Every fixed seat.
SELECT seat, agent, from_day, to_day FROM seat_agent ORDER BY seat, from_day;

-- logged_in: The agent in a seat's history at an instant; nobody while it is offline.
SELECT agent FROM seat_state
 WHERE seat = $1 AND kind = 'status' AND at <= $2 AND (until_at IS NULL OR until_at > $2)
   AND value <> 'offline' AND agent IS NOT NULL ORDER BY at DESC LIMIT 1;

-- roster: Agents whose shift at this seat covers a local time.
SELECT DISTINCT record.agent FROM record
 WHERE record.kind = 'shift' AND NOT record.void AND record.agent IS NOT NULL AND record.body ->> 'seat' = $1
   AND record.day BETWEEN $2::date - 1 AND $2::date
   AND NOT EXISTS (SELECT FROM record later WHERE later.chain = record.chain AND later.version = record.version + 1)
   AND CASE WHEN record.body ->> 'at' IS NULL THEN record.day = $2::date
            ELSE $3::timestamp >= (record.body ->> 'at')::timestamp
                 AND $3::timestamp < (record.body ->> 'until')::timestamp END
 ORDER BY record.agent LIMIT 2;

-- fixed: The agent who has this seat on a day; the newest word of several.
SELECT agent FROM seat_agent
 WHERE seat = $1 AND from_day <= $2 AND (to_day IS NULL OR to_day >= $2) ORDER BY from_day DESC LIMIT 1;
