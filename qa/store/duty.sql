-- take: Have a duty from now until this connection ends; false while another has it.
SELECT pg_try_advisory_lock(hashtextextended($1, 0));
