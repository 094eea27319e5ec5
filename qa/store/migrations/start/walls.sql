-- Who may do what: isolation of sites, rows that never change, the chain's order, closed periods, grants.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused; what stands there is only added to', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'SW002';
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['event', 'leg_mark', 'leg_name', 'transcript', 'pack', 'overlay', 'fact_set',
                                'run', 'entry', 'access_log'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       name || '_stands', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['event', 'leg_mark', 'leg_name', 'transcript', 'pack', 'overlay', 'fact_set', 'run', 'entry',
                                'access_log', 'chain_head', 'current_run', 'period'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       name || '_kept', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['chain_head', 'current_run', 'period'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       name || '_stays', name);
    END LOOP;
END $$;

-- The head moves by one, from the row that was last; so numbers have no holes, whatever rolls back.
CREATE FUNCTION follow_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE chain_head SET seq = NEW.seq, hash = NEW.hash
     WHERE site_id = NEW.site_id AND seq = NEW.seq - 1 AND hash = NEW.prev_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%: row % does not follow the head of the chain', TG_TABLE_NAME, NEW.seq USING ERRCODE = 'SW003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER run_follows AFTER INSERT ON run FOR EACH ROW EXECUTE FUNCTION follow_chain();
CREATE TRIGGER entry_follows AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION follow_chain();

CREATE FUNCTION head_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.site_id <> OLD.site_id OR NEW.seq <> OLD.seq + 1 THEN
        RAISE EXCEPTION 'chain_head: the head moves forward by one row only' USING ERRCODE = 'SW003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER chain_head_forward BEFORE UPDATE ON chain_head FOR EACH ROW EXECUTE FUNCTION head_forward();

CREATE FUNCTION first_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := current_setting('seatwatch.site', true);
BEGIN
    PERFORM set_config('seatwatch.site', NEW.id, true);
    INSERT INTO chain_head VALUES (NEW.id, 0, decode(repeat('00', 32), 'hex'));
    PERFORM set_config('seatwatch.site', before, true);
    RETURN NULL;
END $$;
CREATE TRIGGER site_begins AFTER INSERT ON site FOR EACH ROW EXECUTE FUNCTION first_head();

CREATE FUNCTION refuse_closed_day() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT id, closed_at FROM period
                WHERE site_id = NEW.site_id AND NEW.day BETWEEN from_day AND to_day
                  FOR SHARE LOOP              -- a closing under way is waited for, and waits for us
        IF one.closed_at IS NOT NULL THEN
            RAISE EXCEPTION 'entry of %: period % is closed; enter a signed adjustment in the next one', NEW.day, one.id
                USING ERRCODE = 'SW001';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_in_open_period BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION refuse_closed_day();

CREATE FUNCTION close_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'period %: it is closed, once and for all', OLD.id USING ERRCODE = 'SW001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER period_closes_once BEFORE UPDATE ON period FOR EACH ROW EXECUTE FUNCTION close_once();

-- Isolation: without a site nothing is seen and nothing is written, by the owner of the tables neither.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT c.table_name FROM information_schema.columns c
                 WHERE c.table_schema = 'public' AND c.column_name = 'site_id' LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_site ON %I USING (site_id = current_setting(''seatwatch.site'', true)) '
                       'WITH CHECK (site_id = current_setting(''seatwatch.site'', true))', name);
    END LOOP;
END $$;
-- The list of sites itself: one's own, or, for the service's own chores, all under the name `*`.
ALTER TABLE site ENABLE ROW LEVEL SECURITY;
ALTER TABLE site FORCE ROW LEVEL SECURITY;
CREATE POLICY own_site ON site
    USING (current_setting('seatwatch.site', true) IN (id, '*'))
    WITH CHECK (current_setting('seatwatch.site', true) IN (id, '*'));

GRANT USAGE ON SCHEMA public TO seatwatch_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO seatwatch_app;
REVOKE ALL ON alembic_version FROM seatwatch_app;
GRANT INSERT ON event, leg_mark, leg_name, spool_cursor, spool_call, due, call, recording, transcript, seat_state, away,
    pack, overlay, fact_set, run, entry, current_run, outbox, access_log, person, person_role, setting, period
    TO seatwatch_app;
GRANT UPDATE ON spool_cursor, due, call, seat_state, away, current_run, person, setting, period TO seatwatch_app;
GRANT UPDATE (dropped_at, answer_ms, gaps, actor) ON recording TO seatwatch_app;
GRANT UPDATE (sent_at, next_at, attempts, fault) ON outbox TO seatwatch_app;
GRANT DELETE ON due, seat_state, away, person_role, spool_call TO seatwatch_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO seatwatch_app;
