"""What somebody can do to the record who owns the database: take its guards away, change it, and put them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


@contextmanager
def without_guards(connection: Connection) -> Iterator[None]:
    """No trigger of the record is in force for this transaction; nobody sees afterwards that one was away."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        return
    found = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'record_%'")
    ).all()
    for trigger in found:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
    yield
    for trigger in found:
        connection.exec_driver_sql(trigger.sql)
