-- The ledger: runs and entries in one gapless chain per site, the pointer to the current run, and what goes out.

CREATE TABLE period (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         text NOT NULL,
    from_day   date NOT NULL,
    to_day     date NOT NULL CHECK (to_day >= from_day),
    closed_at  timestamptz,
    closed_by  text,
    head_seq   bigint,
    head_hash  bytea,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, id),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);

CREATE TABLE chain_head (
    site_id    text PRIMARY KEY REFERENCES site,
    seq        bigint NOT NULL CHECK (seq >= 0),
    hash       bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE run (
    site_id     text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id          uuid NOT NULL,
    subject     text NOT NULL,
    inputs      text NOT NULL,
    engine      integer NOT NULL,
    pack_sha    text NOT NULL,
    overlay_sha text NOT NULL,
    facts_sha   text NOT NULL,
    day         date,
    at          timestamptz,                  -- when the subject happened
    agent       text,
    seat        text,
    card        bytea NOT NULL,
    card_sha    text NOT NULL,
    automatic   numeric NOT NULL,
    counted     numeric NOT NULL,
    assumed     boolean NOT NULL,
    unknown     integer NOT NULL,
    flagged     integer NOT NULL,
    actor       text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at     timestamptz NOT NULL,
    seq         bigint NOT NULL,
    prev_hash   bytea NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (site_id, id),
    UNIQUE (site_id, subject, inputs),
    UNIQUE (site_id, seq),
    FOREIGN KEY (site_id, pack_sha) REFERENCES pack (site_id, sha),
    FOREIGN KEY (site_id, overlay_sha) REFERENCES overlay (site_id, sha),
    FOREIGN KEY (site_id, facts_sha) REFERENCES fact_set (site_id, sha)
);

CREATE TABLE entry (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         uuid NOT NULL,
    run        uuid NOT NULL,
    subject    text NOT NULL,
    agent      text,
    rule       text NOT NULL,
    event      text NOT NULL,
    cite       text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('breach', 'met')),
    decide     text NOT NULL CHECK (decide IN ('auto', 'review', 'manual')),
    counts     boolean NOT NULL,
    points     numeric NOT NULL,
    assumed    boolean NOT NULL,
    evidence   json NOT NULL,
    day        date,
    origin     uuid NOT NULL,                 -- the scoring entry this one is, reverses or restores
    reverses   uuid,
    depth      integer NOT NULL CHECK ((depth = 0) = (reverses IS NULL) AND (depth = 0) = (origin = id)),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL,
    seq        bigint NOT NULL,
    prev_hash  bytea NOT NULL,
    hash       bytea NOT NULL,
    PRIMARY KEY (site_id, id),
    UNIQUE (site_id, seq),
    UNIQUE (site_id, reverses),               -- an entry is reversed at most once
    FOREIGN KEY (site_id, run) REFERENCES run (site_id, id),
    FOREIGN KEY (site_id, origin) REFERENCES entry (site_id, id),
    FOREIGN KEY (site_id, reverses) REFERENCES entry (site_id, id)
);
CREATE UNIQUE INDEX entry_once ON entry (site_id, run, rule, event) WHERE reverses IS NULL;
CREATE INDEX entry_origin ON entry (site_id, origin, depth DESC);
CREATE INDEX entry_subject ON entry (site_id, subject, seq);

CREATE TABLE current_run (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    subject    text NOT NULL,
    run        uuid NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    moved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, subject),
    FOREIGN KEY (site_id, run) REFERENCES run (site_id, id)
);

CREATE TABLE outbox (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         uuid NOT NULL,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    kind       text NOT NULL,
    subject    text NOT NULL,
    body       json NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz,
    next_at    timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    fault      text,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX outbox_due ON outbox (site_id, next_at, n) WHERE sent_at IS NULL;
