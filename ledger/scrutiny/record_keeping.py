"""What keeps the record from being changed in the database itself, beside the seals that show it.

Triggers refuse every UPDATE, and every DELETE but those of a transaction that has put a row into `record_opening`: the
retention job's. Where the application is not the owner of the tables (docs/record.md), it may neither write that table
nor drop a trigger. Where it is, as in SQLite always, they stop a mistake and a careless hand; the seals find the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, insert

from ledger.tables import record_opening

APPEND_ONLY = "the record is append-only"
KEPT = ("record_entry", "record_seal", "record_head")

_POSTGRES_FUNCTION = f"""
CREATE FUNCTION carillon_keep_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'record_entry' AND EXISTS (SELECT 1 FROM record_opening) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '{APPEND_ONLY}' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def guards(dialect: str) -> Iterator[str]:
    """The statements that put the guards up, for a migration."""
    if dialect == "postgresql":
        yield _POSTGRES_FUNCTION
        for table in KEPT:
            yield (
                f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION carillon_keep_record()"
            )
            yield (
                f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION carillon_keep_record()"
            )
        return
    for table in KEPT:
        unless = " WHEN NOT EXISTS (SELECT 1 FROM record_opening)" if table == "record_entry" else ""
        for what, when in (("UPDATE", ""), ("DELETE", unless)):
            yield (
                f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table}{when}"
                f" BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
            )


@contextmanager
def opened(connection: Connection, why: str) -> Iterator[None]:
    """Let this transaction, and no other, delete entries: for pruning whole sealed ranges, and nothing else.

    On PostgreSQL with roles of their own only the retention role may (docs/record.md).
    """
    connection.execute(insert(record_opening).values(why=why))
    yield
    connection.execute(delete(record_opening))
