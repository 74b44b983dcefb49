"""The record as stored: entries with every transaction, seals over what is finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from broker import record as law
from broker.actor import SYSTEM
from broker.record import GENESIS, Entry, Seal, StoredEntry, Verification
from ledger.hand import Hand
from ledger.tables import record_entry, record_seal

if TYPE_CHECKING:
    from ledger.connect import Ledger, Transaction


class Records:
    """See broker.ports.Records."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries with this transaction; they are hashed later, as the bytes that stand here."""
        if not entries:
            return
        hand, now = self._hand, self._hand.now
        for entry in entries:
            hand.run(
                "INSERT INTO record_entry (mark, at, kind, announcement_id, body)"
                f" VALUES ({hand.dialect.mark}, {hand.dialect.now}, :kind, :announcement, :body)",
                kind=entry.kind,
                announcement=entry.announcement,
                body=law.body_of(entry, now),
            )

    def seal(self) -> int:
        """Seal what no running transaction can still add to; returns how many entries. One sealer at a time."""
        connection = self._hand.connection
        if not self._hand.dialect.may_seal(connection):
            return 0
        head = _head(connection)
        number, first, previous = (head.number, head.next_mark, head.hash) if head else (0, 0, GENESIS)
        following = self._hand.dialect.next_mark(connection)
        entries = entries_between(connection, first, following)
        if not entries:
            return 0
        seal = law.seal_over(
            entries, number=number + 1, first_mark=first, next_mark=following, previous=previous
        )
        connection.execute(insert(record_seal).values(**_fields(seal), sealed_at=self._hand.now))
        return seal.count


def after_restore(ledger: Ledger) -> int:
    """Lift new marks above the sealed ones, where they had fallen below; returns by how much, 0 as a rule.

    A PostgreSQL that was restored from a dump counts its transactions from the beginning. What it wrote would fall
    into ranges sealed long ago, and look like tampering. On the cluster of the dump this cannot happen.
    """
    with ledger.reading() as hand:
        if not _behind(hand):
            return 0
    return ledger.transact(_catch_up)


def _catch_up(tx: Transaction) -> int:
    hand = tx.hand
    by = _behind(hand)
    if by:
        hand.run("UPDATE school SET mark_offset = mark_offset + :by", by=by)
        tx.record.add([Entry("record.restored", SYSTEM, {"marks_raised_by": by})])
    return by


def _behind(hand: Hand) -> int:
    head = _head(hand.connection)
    if head is None or (begins := hand.dialect.next_mark(hand.connection)) >= head.next_mark:
        return 0
    newest: int = hand.connection.execute(select(func.max(record_entry.c.mark))).scalar_one() or 0
    return max(head.next_mark, newest + 1) - begins


def verify(connection: Connection) -> Verification:
    """Check every seal against what is stored under it; streams, so that a long record fits in memory."""
    try:
        head, covered, mark, fault = law.verify_seals(_sealed(connection))
        unsealed = len(entries_between(connection, mark, None)) if fault is None else 0
    except (TypeError, ValueError):  # SQLite keeps whatever is put into a column, a text for bytes among it
        unreadable = "an entry or a seal is not what Carillon wrote: it was changed"
        return Verification(ok=False, entries=0, unsealed=0, head="", first_fault=unreadable)
    return Verification(
        ok=fault is None,
        entries=covered + unsealed,
        unsealed=unsealed,
        head=head.hex(),
        first_fault=fault,
    )


def entries_between(connection: Connection, first: int, following: int | None) -> list[StoredEntry]:
    """Entries with first <= mark < following (no upper end for None), by id."""
    statement = select(record_entry.c.id, record_entry.c.mark, record_entry.c.body).where(
        record_entry.c.mark >= first
    )
    if following is not None:
        statement = statement.where(record_entry.c.mark < following)
    rows = connection.execute(statement.order_by(record_entry.c.id))
    return [StoredEntry(row.id, row.mark, bytes(row.body)) for row in rows]


def sealed_at(connection: Connection) -> datetime | None:
    """When the newest seal was made."""
    newest = select(record_seal.c.sealed_at).order_by(record_seal.c.number.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()


def _sealed(connection: Connection) -> Iterator[tuple[Seal, Sequence[StoredEntry]]]:
    for row in connection.execute(select(record_seal).order_by(record_seal.c.number)).all():
        seal = _seal(row)
        yield seal, entries_between(connection, seal.first_mark, seal.next_mark)


def _head(connection: Connection) -> Seal | None:
    row = connection.execute(select(record_seal).order_by(record_seal.c.number.desc()).limit(1)).one_or_none()
    return _seal(row) if row else None


def _seal(row: Row[Any]) -> Seal:
    root, previous, own = bytes(row.root), bytes(row.previous), bytes(row.hash)
    return Seal(row.number, row.first_mark, row.next_mark, row._mapping["count"], root, previous, own)


def _fields(seal: Seal) -> dict[str, object]:
    return {name: getattr(seal, name) for name in Seal.__slots__}
