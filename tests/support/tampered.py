"""A past that somebody tampers with behind the record's back, and what the audit then tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select, update

from broker.record import StoredEntry
from broker.scrutiny.heads import Head
from ledger import tables as t
from ledger.scrutiny.audit import Audit, audit
from tests.record.conftest import Within
from tests.support.tampering import without_guards

E, S = t.record_entry, t.record_seal
Tamper = Callable[[Connection], object]


def tampered(ledger: Within, tamper: Tamper, heads: Sequence[Head] = ()) -> Audit:
    with without_guards(ledger.connection):
        tamper(ledger.connection)
    return audited(ledger, heads)


def audited(ledger: Within, heads: Sequence[Head] = ()) -> Audit:
    return audit(ledger.as_ledger, heads)


def told(found: Audit) -> list[str]:
    return [f"{fault.where}: {fault.what}" for fault in found.faults]


def entry_of(connection: Connection, kind: str) -> StoredEntry:
    row = connection.execute(select(E).where(E.c.kind == kind).order_by(E.c.id).limit(1)).one()
    return StoredEntry(row.id, row.mark, bytes(row.body))


def change(connection: Connection, table: object, where: object, **values: object) -> None:
    changed = connection.execute(update(table).where(where).values(**values))  # type: ignore[arg-type]
    assert changed.rowcount, "the tampering itself must have worked"
