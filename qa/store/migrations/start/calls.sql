-- Calls as folded from their events, their recordings and their transcripts.

CREATE TABLE call (
    site_id     text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id          text NOT NULL,
    state       text NOT NULL,
    direction   text,
    agent       text,
    seat        text,
    queue       text,
    number      text,
    at          timestamptz NOT NULL,         -- first event; what lists are ordered by
    day         date,                         -- business day in the site's zone
    offered_at  timestamptz,
    ringing_at  timestamptz,
    answered_at timestamptz,
    ended_at    timestamptz,
    conclusion  text,                         -- answered, abandoned, no_answer, redirected, voicemail, probe
    hung_up_by  text,
    folded      json NOT NULL,
    actor       text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    folded_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, id)
);
CREATE INDEX call_newest ON call (site_id, at DESC, id DESC);
CREATE INDEX call_agent ON call (site_id, agent, at DESC, id DESC);

CREATE TABLE recording (
    site_id     text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id          uuid NOT NULL,
    call        text NOT NULL,
    path        text NOT NULL,                -- inside the store of recordings
    audio_sha   text NOT NULL,
    format      text NOT NULL CHECK (format IN ('flac', 'opus')),
    rate        integer NOT NULL,
    channels    integer NOT NULL CHECK (channels IN (1, 2)),
    size_bytes  bigint NOT NULL,
    duration_ms bigint NOT NULL,
    answer_ms   bigint,                       -- where in the recording the call was answered
    origin_at   timestamptz,                  -- the instant of its first sample; null = by no clock
    roles       json NOT NULL,                -- by channel
    gaps        json NOT NULL,
    key_id      text,                         -- null = not encrypted
    actor       text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at     timestamptz NOT NULL DEFAULT now(),
    dropped_at  timestamptz,
    PRIMARY KEY (site_id, id),
    UNIQUE (site_id, call, audio_sha)
);

CREATE TABLE transcript (
    site_id     text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id          uuid NOT NULL,
    call        text NOT NULL,
    audio_sha   text NOT NULL,
    engine      text NOT NULL,
    model_sha   text NOT NULL,
    params_sha  text NOT NULL,
    language    text NOT NULL,
    synthetic   boolean NOT NULL,
    duration_ms bigint NOT NULL,
    body        json NOT NULL,                -- turns, speech per channel and measures
    n           bigint GENERATED ALWAYS AS IDENTITY,
    actor       text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, id),
    UNIQUE (site_id, call, audio_sha, engine, model_sha, params_sha)
);
