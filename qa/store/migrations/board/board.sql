-- What holds now at every seat, the calls that are going on, and an agent's own time line.

CREATE INDEX seat_state_open ON seat_state (site_id, seat, kind) WHERE until_at IS NULL;
CREATE INDEX seat_state_agent ON seat_state (site_id, agent, at) WHERE kind = 'status' AND agent IS NOT NULL;
CREATE INDEX call_going_on ON call (site_id, id) WHERE state = 'live';
