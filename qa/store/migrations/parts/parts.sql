-- Parts of a conversation, orphans, who sits where, and from where on a seat's history is folded.

ALTER TABLE call ADD conversation text;       -- the call that this part belongs to; null = it is the conversation itself
ALTER TABLE call ADD orphan text CHECK (orphan IN ('no signalling', 'no media', 'adopted'));
ALTER TABLE call ADD concluded text;          -- why it was taken for over although nobody said so; null = it was said
CREATE INDEX call_conversation ON call (site_id, conversation) WHERE conversation IS NOT NULL;
CREATE INDEX call_seat ON call (site_id, seat, at) WHERE seat IS NOT NULL;

CREATE TABLE seat_agent (                     -- whose seat it is, where no log-in says so
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    seat       text NOT NULL,
    from_day   date NOT NULL,
    to_day     date CHECK (to_day >= from_day),  -- inclusive; null = still
    agent      text NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    set_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, seat, from_day)
);

ALTER TABLE due ADD from_at timestamptz;      -- the oldest instant that the news is about; null = any

CREATE TABLE seat_fold (                      -- events of a seat before this instant are in its stretches
    site_id    text NOT NULL DEFAULT current_setting('seatwatch.site') REFERENCES site,
    seat       text NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL DEFAULT current_setting('seatwatch.actor') CHECK (actor <> ''),
    PRIMARY KEY (site_id, seat)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['seat_agent', 'seat_fold'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_site ON %I USING (site_id = current_setting(''seatwatch.site'', true)) '
                       'WITH CHECK (site_id = current_setting(''seatwatch.site'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO seatwatch_app', name);
    END LOOP;
END $$;
