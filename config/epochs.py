"""Pruning the sealed record, by a hand of its own: on PostgreSQL a role that may, for the application's may not.

Whoever breaks into the application can read the record and add to it; to take something out of it takes another
password.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from broker.actor import Actor
from broker.rules.keeping import keeping_of
from config.assembly import House, secret_of
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import Ledger, open_ledger

AT_ONCE = 20_000  # entries of one transaction
WHY = "had its time"
NO_ROLE = "the record is not pruned: set CARILLON_RETENTION_DATABASE_URL to a role that may (docs/record.md)"
ON_SQLITE = (
    "on SQLite the record is pruned by the same hand that writes it: who has the file can take anything out of it, and"
    " nothing but a head that somebody else keeps would show it"
)
HELD = "the record is not pruned while something is held for the law"


@dataclass(frozen=True, slots=True)
class PrunedRecord:
    """How many entries went, and what is to be said about it; "" for nothing."""

    entries: int
    said: str = ""


def prune_record(house: House, *, actor: Actor) -> PrunedRecord:
    """Take away the entries that have had their time, some whole seals a transaction."""
    settings = house.settings
    with house.ledger.look() as tx:
        if tx.privacy.holds():
            return PrunedRecord(0, HELD)
        before = tx.now - keeping_of(tx.rules.current()).record
    if settings.sqlite:
        return PrunedRecord(_prune(house.ledger, before, actor), ON_SQLITE)
    if settings.retention_database_url is None:
        return PrunedRecord(0, NO_ROLE)
    ledger = open_ledger(settings.retention_database_url, HmacSigner(secret_of(settings)), pool_size=1)
    try:
        return PrunedRecord(_prune(ledger, before, actor))
    finally:
        ledger.close()


def _prune(ledger: Ledger, before: datetime, actor: Actor) -> int:
    gone = 0
    while True:
        with ledger.reading() as hand:
            until = _some(hand.connection, before)
        if until is None:
            return gone
        went = ledger.transact(lambda tx, until=until: tx.record.prune(until, actor=actor, why=WHY))  # type: ignore[misc]
        if not went:
            return gone
        gone += went


def _some(connection: Connection, before: datetime) -> datetime | None:
    """Up to when to prune at once; None where nothing is left. Whole seals, and never the newest."""
    s, e = t.record_seal.c, t.record_entry.c
    oldest = connection.execute(select(e.mark).order_by(e.id).limit(1)).scalar_one_or_none()
    newest = connection.execute(select(s.number).order_by(s.number.desc()).limit(1)).scalar_one_or_none()
    if oldest is None or newest is None:
        return None
    rows = connection.execute(
        select(s["count"], s.sealed_at)
        .where(s.next_mark > oldest, s.sealed_at < before, s.number < newest)
        .order_by(s.number)
        .limit(AT_ONCE)
    )
    together, until = 0, None
    for count, sealed_at in rows:
        together += count
        if until is not None and together > AT_ONCE:
            break
        until = sealed_at
    return until + timedelta(microseconds=1) if until is not None else None
