"""Speech: audio becomes turns, turns become hits. It knows no calls, no regulation and no database."""
