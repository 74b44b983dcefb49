"""The record after a database was restored from a dump into a cluster that counts from the beginning."""

from __future__ import annotations

from broker.actor import SYSTEM
from broker.record import Entry
from ledger.connect import Ledger
from ledger.record import after_restore, verify


def write(ledger: Ledger, *kinds: str) -> None:
    for kind in kinds:
        with ledger.begin() as tx:
            tx.record.add([Entry(kind, SYSTEM, {})])


def seal(ledger: Ledger) -> int:
    with ledger.begin() as tx:
        return tx.record.seal()


def count_from(ledger: Ledger, offset: int) -> None:
    with ledger.begin() as tx:
        tx.hand.run("UPDATE school SET mark_offset = :offset", offset=offset)


def verified(ledger: Ledger) -> tuple[bool, int, int]:
    with ledger.reading() as hand:
        found = verify(hand.connection)
    return found.ok, found.entries, found.unsealed


def test_a_ledger_that_was_never_restored_is_left_alone(ledger: Ledger) -> None:
    assert after_restore(ledger) == 0
    write(ledger, "one")
    seal(ledger)
    assert after_restore(ledger) == 0
    assert verified(ledger) == (True, 1, 0)


def test_a_record_goes_on_after_a_restore_without_looking_tampered_with(ledger: Ledger) -> None:
    count_from(ledger, 1_000_000)  # the old cluster had counted far
    write(ledger, "one", "two")
    seal(ledger)
    write(ledger, "left unsealed by the dump")
    count_from(ledger, 0)  # the new one begins
    raised = after_restore(ledger)
    write(ledger, "three")
    seal(ledger)
    ok, entries, unsealed = verified(ledger)
    assert (ok, unsealed) == (True, 0)
    assert entries == (5 if raised else 4), "that it happened is an entry, too"
    assert bool(raised) is (ledger.dialect.name == "postgresql")
    assert after_restore(ledger) == 0
