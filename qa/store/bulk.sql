-- add_facts: Keep the facts of many runs.
INSERT INTO fact_set (sha, body) SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT (site_id, sha) DO NOTHING;

-- add_runs: Write many runs at the end of the chain, in their order.
INSERT INTO run (id, subject, inputs, engine, pack_sha, overlay_sha, facts_sha, day, at, agent, seat, card, card_sha,
                 automatic, counted, assumed, unknown, flagged, made_at, seq, prev_hash, hash)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::date[],
                     $9::timestamptz[], $10::text[], $11::text[], $12::bytea[], $13::text[], $14::numeric[],
                     $15::numeric[], $16::boolean[], $17::integer[], $18::integer[], $19::timestamptz[],
                     $20::bigint[], $21::bytea[], $22::bytea[]);

-- add_entries: Write many entries at the end of the chain, in their order.
INSERT INTO entry (id, run, subject, agent, rule, event, cite, outcome, decide, counts, points, assumed, evidence, day,
                   origin, reverses, depth, made_at, seq, prev_hash, hash)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::boolean[], $11::numeric[], $12::boolean[], $13::json[], $14::date[], $15::uuid[],
                     $16::uuid[], $17::integer[], $18::timestamptz[], $19::bigint[], $20::bytea[], $21::bytea[]);

-- point_new: Make many runs the current ones of subjects that have none.
INSERT INTO current_run (subject, run) SELECT * FROM unnest($1::text[], $2::uuid[]);
