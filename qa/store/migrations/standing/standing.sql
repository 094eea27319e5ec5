-- What closed months came to as each closing knew them: the next closing compares with it instead of computing it again.

CREATE TABLE standing (
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    closing    text NOT NULL,                 -- the month whose closing knew it
    body       json NOT NULL,                 -- kind/name -> month -> points and pay, as text
    PRIMARY KEY (site_id, closing),
    FOREIGN KEY (site_id, closing) REFERENCES closing (site_id, month)
);
CREATE TRIGGER standing_stands BEFORE UPDATE OR DELETE ON standing FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standing_kept BEFORE TRUNCATE ON standing FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE standing ENABLE ROW LEVEL SECURITY;
ALTER TABLE standing FORCE ROW LEVEL SECURITY;
CREATE POLICY own_site ON standing USING (site_id = current_setting('seatwatch.site', true))
    WITH CHECK (site_id = current_setting('seatwatch.site', true));
GRANT SELECT, INSERT ON standing TO seatwatch_app;
