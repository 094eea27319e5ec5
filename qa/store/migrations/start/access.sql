-- Who looked at which call, and why; written before the first byte leaves.

CREATE TABLE access_log (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         uuid NOT NULL,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    place      text NOT NULL CHECK (place <> ''),    -- from where: an address, or `cli`
    call       text NOT NULL,
    person     text,                                 -- the agent who is heard
    what       text NOT NULL CHECK (what IN ('audio', 'transcript', 'card', 'export')),
    purpose    text NOT NULL CHECK (purpose <> ''),
    from_ms    bigint,
    to_ms      bigint,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX access_log_call ON access_log (site_id, call, n);
CREATE INDEX access_log_newest ON access_log (site_id, n DESC);
