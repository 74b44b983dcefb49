"""The record as stored: entries with every transaction, seals over what is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select

from broker import record as law
from broker.actor import SYSTEM, Actor
from broker.record import GENESIS, Chain, Entry, Seal, StoredEntry, Verification
from broker.scrutiny.heads import Left
from ledger.hand import Hand
from ledger.reads.record import PRUNED, count_outside, entries_between, pruned_through, sealed
from ledger.reads.record import head as newest
from ledger.scrutiny.record_keeping import opened
from ledger.scrutiny.remarks import kept_apart
from ledger.tables import head_holder, record_entry, record_head, record_seal

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
        told = [kept_apart(hand, each) for each in entries]
        rows = [
            {"kind": each.kind, "announcement": each.announcement, "body": law.body_of(each, now)}
            for each in told
        ]
        hand.run_each(
            "INSERT INTO record_entry (mark, at, kind, announcement_id, body)"
            f" VALUES ({hand.dialect.mark}, {hand.dialect.now}, :kind, :announcement, :body)",
            rows,
        )

    def seal(self) -> int:
        """Seal what no running transaction can still add to; returns how many entries. One sealer at a time."""
        connection = self._hand.connection
        if not self._hand.dialect.may_seal(connection):
            return 0
        head = newest(connection)
        number, first, previous = (head.number, head.next_mark, head.hash) if head else (0, 0, GENESIS)
        following = self._hand.dialect.next_mark(connection)
        entries = list(entries_between(connection, first, following))
        if not entries:
            return 0
        seal = law.seal_over(
            entries, number=number + 1, first_mark=first, next_mark=following, previous=previous
        )
        connection.execute(insert(record_seal).values(**_fields(seal), sealed_at=self._hand.now))
        return seal.count

    def prune(self, before: datetime, *, actor: Actor, why: str) -> int:
        """Delete the entries under every seal made before this time; the seals stay, so that the rest still verifies.

        Returns how many went. Whole seals alone, and an entry tells of it: verification takes an emptied seal for
        pruned only where the record says so. On PostgreSQL with roles of their own the retention role alone may.
        """
        connection = self._hand.connection
        last = select(record_seal.c.number, record_seal.c.next_mark).where(record_seal.c.sealed_at < before)
        row = connection.execute(last.order_by(record_seal.c.number.desc()).limit(1)).one_or_none()
        if row is None:
            return 0
        with opened(connection, why):
            gone = connection.execute(
                delete(record_entry).where(record_entry.c.mark < row.next_mark)
            ).rowcount
        if gone:
            self.add([Entry(PRUNED, actor, {"through": row.number, "entries": gone, "why": why})])
        return gone

    def newest(self) -> Seal | None:
        """The newest seal, whose hash is the head."""
        return newest(self._hand.connection)

    def last_given(self, how: Left | None = None) -> datetime | None:
        """When a head last left the house so, or in any way."""
        last = select(func.max(record_head.c.at))
        if how is not None:
            last = last.where(record_head.c.how == how)
        found: datetime | None = self._hand.connection.execute(last).scalar_one()
        return found

    def holders(self) -> Mapping[str, str]:
        """Governors to whom heads are mailed: name → email."""
        rows = self._hand.connection.execute(select(head_holder.c.name, head_holder.c.email))
        return {row.name: row.email for row in rows}

    def add_holder(self, name: str, email: str, *, by: str) -> None:
        """A governor, or another email of one."""
        self.drop_holder(name)
        values = {"name": name, "email": email, "added_by": by, "added_at": self._hand.now}
        self._hand.connection.execute(insert(head_holder).values(values))

    def drop_holder(self, name: str) -> bool:
        """Governor no more; False when there was none."""
        return (
            self._hand.connection.execute(delete(head_holder).where(head_holder.c.name == name)).rowcount > 0
        )

    def gave(self, seal: Seal, how: Left) -> None:
        """Remember that this head left the house so."""
        values = {"number": seal.number, "hash": seal.hash, "at": self._hand.now, "how": how}
        self._hand.connection.execute(insert(record_head).values(values))


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
    head = newest(hand.connection)
    if head is None or (begins := hand.dialect.next_mark(hand.connection)) >= head.next_mark:
        return 0
    highest: int = hand.connection.execute(select(func.max(record_entry.c.mark))).scalar_one() or 0
    return max(head.next_mark, highest + 1) - begins


def verify(connection: Connection, *, heard: Callable[[int], None] = lambda _: None) -> Verification:
    """Check every seal against what is stored under it; streams, so that a long record fits in memory.

    `heard` is told after each seal how many entries were read so far; what it raises ends the check.
    """
    chain = Chain(pruned_through=pruned_through(connection))
    try:
        fault = law.follow_all(chain, _telling(sealed(connection), heard))
        unsealed, nowhere = count_outside(connection, chain.mark)
    except (TypeError, ValueError):  # SQLite keeps whatever is put into a column, a text for bytes among it
        unreadable = "an entry or a seal is not what Carillon wrote: it was changed"
        return Verification(ok=False, entries=0, unsealed=0, head="", first_fault=unreadable)
    if fault is None and nowhere:
        fault = f"{nowhere} entries have a mark that no transaction has"
    unsealed = unsealed if fault is None else 0
    return Verification(
        ok=fault is None,
        entries=chain.entries + unsealed,
        unsealed=unsealed,
        head=chain.head.hex(),
        first_fault=fault,
        seals=chain.seals,
        pruned=chain.pruned,
        mark=chain.mark,
    )


def _telling(
    seals: Iterable[tuple[Seal, Iterable[StoredEntry]]], heard: Callable[[int], None]
) -> Iterator[tuple[Seal, Iterable[StoredEntry]]]:
    read = 0
    for seal, entries in seals:
        yield seal, entries
        read += seal.count
        heard(read)


def _fields(seal: Seal) -> dict[str, object]:
    return {name: getattr(seal, name) for name in Seal.__slots__}
