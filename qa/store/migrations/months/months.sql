-- The month: which run counted since when, how a month was closed, what people decided and adjusted afterwards.

CREATE TABLE run_pointer (                    -- every move of current_run, so that a closed month can be seen as it stood
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    subject    text NOT NULL,
    run        uuid NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n),
    FOREIGN KEY (site_id, run) REFERENCES run (site_id, id)
);
CREATE INDEX run_pointer_subject ON run_pointer (site_id, subject, n DESC);
CREATE INDEX run_day ON run (site_id, day, agent);

CREATE TABLE closing (                        -- what a month was closed from: enough to close it again to the same bytes
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    month      text NOT NULL,
    now        timestamp NOT NULL,            -- local: the moment that deadlines were held against
    engine     integer NOT NULL,
    site       json NOT NULL,                 -- time zone, money, signature, jurisdiction, registers as they stood
    pack       text NOT NULL,                 -- the site's pack, by id
    packs      json NOT NULL,                 -- every pack in use: id -> fingerprint
    shadow     json NOT NULL,
    overlay    text NOT NULL,
    records    bigint NOT NULL,               -- numbers of the last record, pointer and decision that it knew
    pointers   bigint NOT NULL,
    decisions  bigint NOT NULL,
    cards_sha  text NOT NULL,                 -- over all cards, in the order of their subjects
    cards      integer NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, month),
    FOREIGN KEY (site_id, month) REFERENCES period (site_id, id),
    FOREIGN KEY (site_id, overlay) REFERENCES overlay (site_id, sha)
);

CREATE TABLE decision (                       -- what people made of a recommendation
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    month      text NOT NULL,
    agent      text NOT NULL,
    kind       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('reviewed', 'approved', 'rejected')),
    reason     text NOT NULL CHECK (reason <> ''),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n)
);
CREATE UNIQUE INDEX decision_reviewed ON decision (site_id, month, agent, kind) WHERE state = 'reviewed';
CREATE UNIQUE INDEX decision_final ON decision (site_id, month, agent, kind) WHERE state <> 'reviewed';

CREATE TABLE adjustment (                     -- for a closed month, by hand; carried in the one that was open then
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    month      text NOT NULL,
    carried    text NOT NULL CHECK (carried > month),
    agent      text NOT NULL,
    points     numeric NOT NULL,
    pay        numeric NOT NULL,
    reason     text NOT NULL CHECK (reason <> ''),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n),
    CHECK (points <> 0 OR pay <> 0),
    FOREIGN KEY (site_id, month) REFERENCES closing (site_id, month)
);

DO $$
DECLARE
    name text;
    one  text;
BEGIN
    -- Pointers as they stand now are the first move that is known of their subject.
    PERFORM set_config('seatwatch.site', '*', true);
    FOR one IN SELECT id FROM site ORDER BY id LOOP
        PERFORM set_config('seatwatch.site', one, true);
        INSERT INTO run_pointer (site_id, subject, run, actor, made_at)
        SELECT site_id, subject, run, actor, moved_at FROM current_run WHERE site_id = one ORDER BY moved_at, subject;
        PERFORM set_config('seatwatch.site', '*', true);
    END LOOP;
    PERFORM set_config('seatwatch.site', '', true);
    FOREACH name IN ARRAY ARRAY['run_pointer', 'closing', 'decision', 'adjustment'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       name || '_stands', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       name || '_kept', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_site ON %I USING (site_id = current_setting(''seatwatch.site'', true)) '
                       'WITH CHECK (site_id = current_setting(''seatwatch.site'', true))', name);
        EXECUTE format('GRANT SELECT ON %I TO seatwatch_app', name);
    END LOOP;
END $$;
GRANT INSERT ON closing, decision, adjustment TO seatwatch_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO seatwatch_app;

CREATE FUNCTION note_pointer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO run_pointer (site_id, subject, run) VALUES (NEW.site_id, NEW.subject, NEW.run);
    RETURN NULL;
END $$;
CREATE TRIGGER current_run_noted AFTER INSERT OR UPDATE ON current_run FOR EACH ROW EXECUTE FUNCTION note_pointer();
