-- enter: Begin a piece of work: the lesser role, the site that is seen and the actor that is written.
SELECT set_config('role', 'seatwatch_app', true), set_config('seatwatch.site', $1, true),
       set_config('seatwatch.actor', $2, true);

-- registry: Begin a chore of the service itself: the list of sites is seen, no site's rows are.
SELECT set_config('seatwatch.site', '*', true), set_config('seatwatch.actor', $1, true);

-- add: Make a site; one that stands is left as it is.
INSERT INTO site (id, name, zone) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING;

-- all: Every site, by its short name.
SELECT id, name, zone FROM site ORDER BY id;

-- setting: A setting of the site.
SELECT value FROM setting WHERE key = $1;

-- set: Give a setting its value.
INSERT INTO setting (key, value) VALUES ($1, $2)
ON CONFLICT (site_id, key) DO UPDATE SET value = excluded.value, actor = excluded.actor, set_at = now();
