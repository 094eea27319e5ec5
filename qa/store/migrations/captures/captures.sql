-- What an independent list of a day's calls showed: how many were recorded, and every one that was not.

CREATE TABLE capture (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    day        date NOT NULL,
    list       text NOT NULL,                 -- which files it was
    listed     integer NOT NULL CHECK (listed >= 0),
    recorded   integer NOT NULL CHECK (recorded >= 0),
    gaps       integer NOT NULL CHECK (gaps >= 0),
    no_audio   integer NOT NULL CHECK (no_audio >= 0),
    never_seen integer NOT NULL CHECK (never_seen >= 0),
    nothing    integer NOT NULL CHECK (nothing >= 0),
    excluded   integer NOT NULL CHECK (excluded >= 0),
    refused    integer NOT NULL CHECK (refused >= 0),
    unlisted   integer NOT NULL CHECK (unlisted >= 0),
    missing    json NOT NULL,                 -- the calls that are not recorded whole, each with its reason
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n),
    CHECK (listed = recorded + gaps + no_audio + never_seen + nothing + excluded)  -- no silent skip
);
CREATE INDEX capture_day ON capture (site_id, day, n DESC);

ALTER TABLE capture ENABLE ROW LEVEL SECURITY;
ALTER TABLE capture FORCE ROW LEVEL SECURITY;
CREATE POLICY own_site ON capture USING (site_id = current_setting('seatwatch.site', true))
    WITH CHECK (site_id = current_setting('seatwatch.site', true));
GRANT SELECT, INSERT ON capture TO seatwatch_app;
