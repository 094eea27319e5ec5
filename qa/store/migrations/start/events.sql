-- What ingest stored: events once, marks of legs, how far each spool file has been carried, and what to fold again.

CREATE TABLE event (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    source     text NOT NULL,
    id         text NOT NULL,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL,
    seq        bigint,
    type       text NOT NULL,
    call       text,
    leg        text,
    seat       text,
    agent      text,
    body       json NOT NULL,                 -- json, not jsonb, keeps the sender's bytes, and any escape
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    stored_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, source, id)
);
CREATE INDEX event_call ON event (site_id, call, at) WHERE call IS NOT NULL;
CREATE INDEX event_seat ON event (site_id, seat, at) WHERE seat IS NOT NULL;

CREATE TABLE leg_mark (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    spool      text NOT NULL,
    n          bigint NOT NULL,               -- the row's number in its spool file
    kind       text NOT NULL CHECK (kind IN ('start', 'gap', 'end')),
    source     text NOT NULL,
    call       text NOT NULL,
    leg        text NOT NULL,
    seq        bigint,
    at         timestamptz,
    body       json NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    stored_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, spool, n)
);
CREATE INDEX leg_mark_call ON leg_mark (site_id, call, leg, spool, n);

CREATE TABLE spool_cursor (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    spool      text NOT NULL,
    upto       bigint NOT NULL CHECK (upto >= 0),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    moved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, spool)
);

CREATE TABLE spool_call (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    spool      text NOT NULL,
    call       text NOT NULL,
    leg        text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, spool, call, leg)
);

CREATE TABLE leg_name (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    name       text NOT NULL,                 -- one-time UUID or token under which audio came
    call       text NOT NULL,
    leg        text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, name)
);
CREATE INDEX leg_name_call ON leg_name (site_id, call);

CREATE TABLE due (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    kind       text NOT NULL CHECK (kind IN ('call', 'seat')),
    id         text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, kind, id)
);
