-- enter: Begin a piece of work: the lesser role, the site that is seen and the actor that is written.
SELECT set_config('role', 'seatwatch_app', true), set_config('seatwatch.site', $1, true),
       set_config('seatwatch.actor', $2, true);

-- registry: Begin a chore of the service itself: the list of sites is seen, no site's rows are.
SELECT set_config('seatwatch.site', '*', true), set_config('seatwatch.actor', $1, true);

-- add: Make a site; one that stands is left as it is.
INSERT INTO site (id, name, zone) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING;

-- all: Every site, by its short name.
SELECT id, name, zone FROM site ORDER BY id;

-- as_owner: Begin a chore of the service itself inside one site.
SELECT set_config('seatwatch.site', $1, true);

-- remove: Take a site away with everything that names it, what is only added to elsewhere included; nobody else writes meanwhile.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'site_id'
                ORDER BY c.oid DESC LOOP      -- what points somewhere was made after what it points to
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', one.name);
        EXECUTE format('DELETE FROM %I WHERE site_id = current_setting(''seatwatch.site'')', one.name);
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', one.name);
    END LOOP;
    DELETE FROM site WHERE id = current_setting('seatwatch.site');
END $$;

-- forget_jobs: What was still to be done for this site.
DELETE FROM pgqueuer WHERE convert_from(payload, 'UTF8')::json ->> 'site' = current_setting('seatwatch.site');

-- setting: A setting of the site.
SELECT value FROM setting WHERE key = $1;

-- set: Give a setting its value.
INSERT INTO setting (key, value) VALUES ($1, $2)
ON CONFLICT (site_id, key) DO UPDATE SET value = excluded.value, actor = excluded.actor, set_at = now();

-- set_first: Give a setting its first value; the one that has one keeps it.
INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (site_id, key) DO NOTHING;
