"""What is held for the law stays as it is: neither age nor a wish takes it away, or a word out of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Table, and_, exists, false, not_, or_, select

from ledger import tables as t
from ledger.hand import Hand
from ledger.privacy.registry import REGISTRY, Held, Whose

_PER_STATEMENT = 5_000  # ids


def of_announcement(announcement: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an announcement is held itself."""
    return exists().where(t.legal_hold.c.lifted_at.is_(None), t.legal_hold.c.announcement_id == announcement)


def told_somebody(hand: Hand, announcement: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an announcement is about somebody who is held, or went to an address of theirs: it was said to them."""
    held = select(t.legal_hold.c.person_id).where(
        t.legal_hold.c.lifted_at.is_(None), t.legal_hold.c.person_id.is_not(None)
    )
    if not list(hand.connection.execute(held.limit(1)).scalars()):
        return false()
    about = exists().where(t.duty.c.announcement_id == announcement, t.duty.c.person_id.in_(held))
    to = exists().where(
        t.delivery.c.announcement_id == announcement,
        t.person_address.c.address_id == t.delivery.c.address_id,
        t.person_address.c.person_id.in_(held),
    )
    return or_(about, to)


def of_somebody(table: Table, held: Held) -> ColumnElement[bool]:
    """Whether a row is about a person, or of an announcement, that is held."""
    hold, theirs = t.legal_hold.c, t.person_address.c
    found: list[ColumnElement[bool]] = []
    for column, whose in held.theirs.items():
        same: tuple[ColumnElement[bool], ...] = (hold.person_id == table.c[column],)
        if whose is not Whose.PERSON:
            same = (theirs.person_id == hold.person_id, theirs.address_id == table.c[column])
        if whose is Whose.ALONE_HASH:
            by_hash = (t.address.c.hash == table.c[column], t.address.c.id == theirs.address_id)
            same = (theirs.person_id == hold.person_id, *by_hash)
            found.append(of_nobody(t.address.c.hash == table.c[column]))
        found.append(exists().where(hold.lifted_at.is_(None), *same))
    if "announcement_id" in table.c:
        found.append(of_announcement(table.c.announcement_id))
    return or_(false(), *found)


def of_nobody(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether these are addresses that nobody holds any more, while somebody is held: they may have been theirs."""
    hold = t.legal_hold.c
    return and_(
        exists().where(hold.lifted_at.is_(None), hold.person_id.is_not(None)),
        exists().where(which, not_(exists().where(t.person_address.c.address_id == t.address.c.id))),
    )


def any_stands(hand: Hand) -> bool:
    """Whether anything is held at all."""
    standing = select(t.legal_hold.c.id).where(t.legal_hold.c.lifted_at.is_(None)).limit(1)
    return hand.connection.execute(standing).first() is not None


def among(hand: Hand, rows: Mapping[str, Collection[int]]) -> Mapping[str, frozenset[int]]:
    """Which of these are held, by their table: rows that are somebody's, the holds themselves, announcements."""
    if not any_stands(hand):
        return {}
    return {name: frozenset(_held(hand, name, ids)) for name, ids in rows.items() if ids}


def _held(hand: Hand, name: str, ids: Collection[int]) -> Collection[int]:
    table = t.metadata.tables[name]
    if table is t.announcement:
        is_held = or_(of_announcement(table.c.id), told_somebody(hand, table.c.id))
    elif table is t.legal_hold:
        is_held = table.c.lifted_at.is_(None)
    else:
        is_held = of_somebody(table, REGISTRY[name])
    run, numbers = hand.connection.execute, sorted(ids)
    return [
        one
        for at in range(0, len(numbers), _PER_STATEMENT)
        for one in run(
            select(table.c.id).where(table.c.id.in_(numbers[at : at + _PER_STATEMENT]), is_held)
        ).scalars()
    ]
