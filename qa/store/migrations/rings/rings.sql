-- Rings that are heard in a recording before its answer: kept with it, so that a score rests on the same for ever.

ALTER TABLE recording ADD rings json;          -- null = not listened for
GRANT UPDATE (rings) ON recording TO seatwatch_app;
