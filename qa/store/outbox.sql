-- put: Have a notice sent, if this transaction commits.
INSERT INTO outbox (id, kind, subject, body) VALUES ($1, $2, $3, $4);

-- take: Notices that are due, oldest first, held until the transaction ends.
SELECT id, kind, subject, body, attempts, made_at FROM outbox
 WHERE sent_at IS NULL AND next_at <= now() ORDER BY next_at, n LIMIT $1 FOR UPDATE SKIP LOCKED;

-- sent: It was taken by its receiver.
UPDATE outbox SET sent_at = now(), attempts = attempts + 1, fault = NULL WHERE id = $1;

-- failed: It was not taken; try again at another time.
UPDATE outbox SET attempts = attempts + 1, fault = $2, next_at = $3 WHERE id = $1;

-- waiting: How many notices are not sent, and since when the oldest waits.
SELECT count(*) AS notices, min(made_at) AS since FROM outbox WHERE sent_at IS NULL;
