"""PostgreSQL: the only package that speaks SQL. It stores and reads; it decides nothing about calls or scores."""
