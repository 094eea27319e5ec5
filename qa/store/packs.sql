-- put: Keep a pack for ever.
INSERT INTO pack (sha, id, version, body, body_sha) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (site_id, sha) DO NOTHING;

-- get: A pack by its fingerprint.
SELECT sha, id, version, body, body_sha FROM pack WHERE sha = $1;

-- put_overlay: Keep an overlay for ever.
INSERT INTO overlay (sha, body, body_sha) VALUES ($1, $2, $3) ON CONFLICT (site_id, sha) DO NOTHING;

-- overlay: An overlay by its fingerprint.
SELECT sha, body, body_sha FROM overlay WHERE sha = $1;

-- put_facts: Keep the facts of a run.
INSERT INTO fact_set (sha, body) VALUES ($1, $2) ON CONFLICT (site_id, sha) DO NOTHING;
