-- Several machines on one database: whose disk holds a spool file, when it was handed over, when it went, and what each
-- call was assembled from.

ALTER TABLE spool_cursor ADD home text;                -- machine/process that wrote it; null where files are not handed over
ALTER TABLE spool_cursor ADD handed_at timestamptz;    -- since when it lies in the folder that all machines share
ALTER TABLE spool_cursor ADD released_at timestamptz;  -- nobody needs it any more; only then its copies go
CREATE INDEX spool_cursor_home ON spool_cursor (site_id, home, spool) WHERE released_at IS NULL AND home IS NOT NULL;

CREATE TABLE spool_read (                      -- a call was assembled with this file at hand
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    spool      text NOT NULL,
    call       text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, spool, call)
);

CREATE TABLE refused_audio (                   -- audio that was kept out of a call's recording
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    call       text NOT NULL,
    leg        text NOT NULL,
    home       text NOT NULL,                  -- the process that took it in
    began_at   timestamptz NOT NULL,
    why        text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    noted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, call, leg, home, began_at, why)
);
CREATE TRIGGER refused_audio_stands BEFORE UPDATE OR DELETE ON refused_audio FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refused_audio_kept BEFORE TRUNCATE ON refused_audio FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['spool_read', 'refused_audio'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_site ON %I USING (site_id = current_setting(''seatwatch.site'', true)) '
                       'WITH CHECK (site_id = current_setting(''seatwatch.site'', true))', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON spool_read TO seatwatch_app;
GRANT SELECT, INSERT ON refused_audio TO seatwatch_app;
