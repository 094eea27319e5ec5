-- What scores are made from, kept for ever so that a run can be replayed from the database alone.

CREATE TABLE pack (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    sha        text NOT NULL,
    id         text NOT NULL,
    version    text NOT NULL,
    body       bytea NOT NULL,
    body_sha   text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, sha)
);

CREATE TABLE overlay (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    sha        text NOT NULL,
    body       bytea NOT NULL,
    body_sha   text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, sha)
);

CREATE TABLE fact_set (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    sha        text NOT NULL,                 -- SHA-256 of the body
    body       bytea NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, sha)
);
