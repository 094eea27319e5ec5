"""Alembic's entry: renders SQL text only; it opens no connection."""

from alembic import context

context.configure(
    dialect_name="postgresql",
    dialect_opts={"paramstyle": "named"},
    output_buffer=context.config.output_buffer,
    transactional_ddl=False,  # the caller holds the transaction
)
context.run_migrations()
