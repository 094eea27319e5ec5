-- Records from outside the phones, as they were taken: each version a row, none ever changed.

CREATE TABLE delivery (                       -- one import, or one request to the API
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (name <> ''),     -- the file, or the address it came from
    accepted   integer NOT NULL CHECK (accepted >= 0),
    duplicates integer NOT NULL CHECK (duplicates >= 0),
    refused    integer NOT NULL CHECK (refused >= 0),
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, id)
);
CREATE INDEX delivery_newest ON delivery (site_id, made_at DESC);

CREATE TABLE record (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,   -- in the order of taking
    id         text NOT NULL CHECK (id <> ''),
    chain      text NOT NULL,                 -- id of the first version; what replaces it belongs to the same chain
    version    integer NOT NULL CHECK (version >= 1),
    kind       text NOT NULL,
    agent      text,
    team       text,
    day        date NOT NULL,                 -- local; of a period its first day, of a withdrawal that of what it withdraws
    case_id    text,
    void       boolean NOT NULL,
    body       json NOT NULL,                 -- the record in the form of the contract, times local to the site
    delivery   uuid NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n),
    UNIQUE (site_id, chain, version),
    FOREIGN KEY (site_id, delivery) REFERENCES delivery (site_id, id)
);
CREATE INDEX record_id ON record (site_id, id);
CREATE INDEX record_case ON record (site_id, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX record_kind ON record (site_id, kind, day);
CREATE INDEX record_agent ON record (site_id, agent, day);

CREATE TABLE register (                       -- leave, attendance, case: what is not in them did not happen
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL CHECK (name IN ('leave', 'attendance', 'case')),
    since      date,                          -- NULL = not connected
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, n)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['delivery', 'record', 'register'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       name || '_stands', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       name || '_kept', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_site ON %I USING (site_id = current_setting(''seatwatch.site'', true)) '
                       'WITH CHECK (site_id = current_setting(''seatwatch.site'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO seatwatch_app', name);
    END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO seatwatch_app;
