-- add: Enter a person.
INSERT INTO person (id, name, login, agent) VALUES ($1, $2, $3, $4);

-- give: Give a person a role, at the whole site or in a team.
INSERT INTO person_role (person, role, team) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- take: Take a role from a person.
DELETE FROM person_role WHERE person = $1 AND role = $2 AND team = $3;

-- change: A person is called otherwise.
UPDATE person SET name = $2, login = $3, agent = $4, actor = current_setting('seatwatch.actor') WHERE id = $1;

-- leave: A person has left; what they did stays under their name.
UPDATE person SET left_at = now(), actor = current_setting('seatwatch.actor') WHERE id = $1 AND left_at IS NULL;

-- all: Everybody, with their roles.
SELECT person.id, person.name, person.login, person.agent, person.left_at,
       coalesce(array_agg(role || '/' || team ORDER BY role, team) FILTER (WHERE role IS NOT NULL), '{}') AS roles
  FROM person LEFT JOIN person_role ON person_role.person = person.id
 GROUP BY person.site_id, person.id ORDER BY person.name, person.id;

-- by_login: One person, by login, with their roles.
SELECT person.id, person.name, person.login, person.agent, person.left_at,
       coalesce(array_agg(role || '/' || team ORDER BY role, team) FILTER (WHERE role IS NOT NULL), '{}') AS roles
  FROM person LEFT JOIN person_role ON person_role.person = person.id
 WHERE person.login = $1 AND person.left_at IS NULL GROUP BY person.site_id, person.id;
