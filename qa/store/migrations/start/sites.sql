-- Sites and people. A site is a wall: each row names its site and who wrote it.

CREATE TABLE site (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    name       text NOT NULL,
    zone       text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE setting (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    key        text NOT NULL,
    value      json NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    set_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, key)
);

CREATE TABLE person (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         uuid NOT NULL,
    name       text NOT NULL,
    login      text,
    agent      text,                          -- the code by which events and records name an agent
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    left_at    timestamptz,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX person_login ON person (site_id, login) WHERE left_at IS NULL;
CREATE UNIQUE INDEX person_agent ON person (site_id, agent) WHERE left_at IS NULL;

CREATE TABLE person_role (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    person     uuid NOT NULL,
    role       text NOT NULL CHECK (role IN ('agent', 'supervisor', 'reviewer', 'assessor', 'handler',
                                             'owner', 'auditor', 'admin', 'source')),
    team       text NOT NULL DEFAULT '',      -- '' = the whole site
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    given_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, person, role, team),
    FOREIGN KEY (site_id, person) REFERENCES person (site_id, id)
);
