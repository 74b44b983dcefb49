"""The whole audit: seals, what stands beside the sealed bytes, rows, and heads that somebody outside holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from broker.record import Verification
from broker.scrutiny.audit import Fault
from broker.scrutiny.heads import Head, head_fault
from ledger import record
from ledger.connect import Ledger
from ledger.reads.kept import Compared, compare
from ledger.reads.record import head as newest
from ledger.reads.record import pruned_through
from ledger.tables import record_entry, record_head, record_opening, record_seal


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. `faults` says where; after `seals.first_fault` no seal proves anything."""

    seals: Verification
    rows: Compared
    heads: int  # that the record was held against, of the ledger's own and of those that were given
    faults: Sequence[Fault] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return self.seals.ok and not self.faults


def audit(
    ledger: Ledger,
    heads: Sequence[Head] = (),
    *,
    rows: bool = True,
    heard: Callable[[int, int], None] = lambda _entries, _announcements: None,
) -> Audit:
    """Verify the record against itself, the ledger's rows and these heads. Reads only.

    `heard` is told as it goes on how many entries were read and announcements compared; what it raises ends it.
    """
    with ledger.reading() as hand:
        seals = record.verify(hand.connection, heard=lambda entries: heard(entries, 0))
        given = [*heads, *_given(hand.connection)]
        faults = [*_seal_faults(hand.connection, seals), *_head_faults(hand.connection, given)]
        pruned_at = _pruned_at(hand.connection) if seals.pruned else None
    compared = Compared()
    if rows:
        compared = compare(ledger, pruned_at=pruned_at, heard=lambda some: heard(seals.entries, some))
    return Audit(seals, compared, len(given), (*faults, *compared.faults))


def _seal_faults(connection: Connection, seals: Verification) -> Iterator[Fault]:
    if seals.first_fault is not None:
        yield Fault(f"seal {seals.seals + 1}", seals.first_fault + _place(connection, seals.seals + 1))
    if connection.execute(select(func.count()).select_from(record_opening)).scalar_one():
        yield Fault("record_opening", "the record stands open: anybody may delete entries")


def _place(connection: Connection, number: int) -> str:
    """Which entries, and of when, stand under a seal."""
    e, s = record_entry.c, record_seal.c
    seal = connection.execute(select(s.first_mark, s.next_mark).where(s.number == number)).one_or_none()
    if seal is None:
        return ""
    under = (e.mark >= seal.first_mark, e.mark < seal.next_mark)
    found = connection.execute(
        select(func.min(e.id), func.max(e.id), func.min(e.at), func.max(e.at)).where(*under)
    ).one()
    if found[0] is None:
        return ""
    return f" (entries {found[0]} to {found[1]}, of {found[2]:%Y-%m-%d %H:%M:%S} to {found[3]:%H:%M:%S} UTC)"


def _head_faults(connection: Connection, heads: Sequence[Head]) -> Iterator[Fault]:
    last = newest(connection)
    s = record_seal.c
    for head in heads:
        found = connection.execute(select(s.number).where(s.hash == head.hash).limit(1)).scalar_one_or_none()
        what = head_fault(head, found=found, newest=last.number if last else 0)
        if what is not None:
            yield Fault("head", what)


def _given(connection: Connection) -> Iterator[Head]:
    """The heads that the ledger itself remembers to have given away."""
    h = record_head.c
    for row in connection.execute(select(h.number, h.hash).distinct().order_by(h.number)):
        yield Head(bytes(row.hash), row.number)


def _pruned_at(connection: Connection) -> datetime | None:
    through = pruned_through(connection)
    when = select(record_seal.c.sealed_at).where(record_seal.c.number == through)
    return connection.execute(when).scalar_one_or_none()
