"""Alembic's way in: it is always called through `ledger.migrate`, which hands over an open connection."""

from __future__ import annotations

from alembic import context

from ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by making it anew
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
