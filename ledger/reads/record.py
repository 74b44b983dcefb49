"""The record, read: seal by seal with what stands under each, in a memory that does not grow with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from broker.record import Seal, StoredEntry
from ledger.tables import record_entry, record_seal

PRUNED = "record.pruned"
AT_ONCE = 20_000  # entries of several seals that one statement brings, at the most
_SEALS = 500
_FETCHED = 2_000  # rows that the driver holds


def head(connection: Connection) -> Seal | None:
    """The newest seal."""
    newest = select(record_seal).order_by(record_seal.c.number.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return seal_of(row) if row else None


def sealed(
    connection: Connection, first: int = 1, last: int | None = None
) -> Iterator[tuple[Seal, Iterable[StoredEntry]]]:
    """Each seal, from one number to another, with what stands under it by id: the order in which it took them.

    One statement brings the entries of many small seals, and a seal over a million passes through a cursor: each must
    be read before the next is asked for.
    """
    for few in _batches(connection, first, last):
        if len(few) == 1:
            yield few[0], entries_between(connection, few[0].first_mark, few[0].next_mark)
            continue
        apart: dict[int, list[StoredEntry]] = {seal.number: [] for seal in few}
        ranges = [seal for seal in few if seal.next_mark > seal.first_mark]
        place = 0
        for entry in entries_between(connection, few[0].first_mark, few[-1].next_mark):
            if not ranges[place].first_mark <= entry.mark < ranges[place].next_mark:
                place = next(i for i, s in enumerate(ranges) if s.first_mark <= entry.mark < s.next_mark)
            apart[ranges[place].number].append(entry)
        for seal in few:
            yield seal, apart[seal.number]


def seals_from(connection: Connection, number: int) -> Iterator[Seal]:
    """Seals from this number on."""
    after = number - 1
    while True:
        page = (
            select(record_seal)
            .where(record_seal.c.number > after)
            .order_by(record_seal.c.number)
            .limit(_SEALS)
        )
        rows = connection.execute(page).all()
        yield from (seal_of(row) for row in rows)
        if len(rows) < _SEALS:
            return
        after = rows[-1].number


def entries_between(connection: Connection, first: int, following: int | None) -> Iterator[StoredEntry]:
    """Entries with first <= mark < following (no upper end for None), by id."""
    c = record_entry.c
    statement = select(c.id, c.mark, c.body).where(c.mark >= first).order_by(c.id)
    if following is not None:
        statement = statement.where(c.mark < following)
    for row in connection.execute(statement.execution_options(yield_per=_FETCHED)):
        yield StoredEntry(row[0], row[1], bytes(row[2]))


def count_outside(connection: Connection, mark: int) -> tuple[int, int]:
    """How many entries no seal covers yet, from this mark on; and how many lie where no entry can."""
    c = record_entry.c
    waiting = select(func.count()).where(c.mark >= mark)
    nowhere = select(func.count()).where(c.mark < 0)
    return int(connection.execute(waiting).scalar_one()), int(connection.execute(nowhere).scalar_one())


def pruned_through(connection: Connection) -> int:
    """Up to which seal entries were pruned, as the record itself tells; 0 for never."""
    c = record_entry.c
    newest = select(c.body).where(c.kind == PRUNED).order_by(c.id.desc()).limit(1)
    body = connection.execute(newest).scalar_one_or_none()
    told = json.loads(bytes(body)) if body is not None else {}
    return int(told["facts"]["through"]) if told.get("kind") == PRUNED else 0


def seal_of(row: Row[Any]) -> Seal:
    """A seal as stored."""
    root, previous, own = bytes(row.root), bytes(row.previous), bytes(row.hash)
    return Seal(row.number, row.first_mark, row.next_mark, row._mapping["count"], root, previous, own)


def _batches(connection: Connection, first: int, last: int | None) -> Iterator[Sequence[Seal]]:
    """Seals in runs that follow each other, none of more than `AT_ONCE` entries unless one alone has them."""
    few: list[Seal] = []
    size = 0
    for seal in seals_from(connection, first):
        if last is not None and seal.number > last:
            break
        follows = not few or (seal.first_mark == few[-1].next_mark and seal.next_mark >= seal.first_mark)
        if few and (not follows or size + seal.count > AT_ONCE):
            yield few
            few, size = [], 0
        few.append(seal)
        size += max(seal.count, 1)
    if few:
        yield few
