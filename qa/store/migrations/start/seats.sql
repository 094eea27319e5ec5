-- Seats as folded from their events: states over time, and stretches in which nobody was there.

CREATE TABLE seat_state (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    seat       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('status', 'presence')),
    at         timestamptz NOT NULL,
    until_at   timestamptz,                   -- null = still
    value      text NOT NULL,
    reason     text,
    confidence text NOT NULL,
    source     text NOT NULL,
    agent      text,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, seat, kind, at)
);

CREATE TABLE away (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         text NOT NULL,
    seat       text NOT NULL,
    agent      text,
    at         timestamptz NOT NULL,
    until_at   timestamptz,
    day        date,
    away_ms    bigint,
    ready_ms   bigint,
    status     text NOT NULL,
    source     text NOT NULL,
    contradicted boolean NOT NULL DEFAULT false,  -- the seat's own phone says that somebody was there
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    folded_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, id)
);
CREATE INDEX away_newest ON away (site_id, at DESC, id DESC);
