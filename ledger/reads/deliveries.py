"""Deliveries listed, newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select, tuple_

from broker.address import AddressKind, mask
from broker.delivery import FAILED, State
from ledger import tables as t
from ledger.hand import Hand

PAGE = 100
STRETCH = 50_000  # ids
PUBLIC = "the public"


@dataclass(frozen=True, slots=True)
class Listed:
    """One delivery as a list shows it; `address` is masked."""

    id: int
    announcement: UUID
    channel: str
    account: str
    address: str
    state: State
    code: str
    why: str
    burned: int
    due_at: datetime
    changed_at: datetime
    settled_by: str | None
    gateways: tuple[
        str, ...
    ] = ()  # of its attempts, the first first; empty before any, and where none has a name


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: all filters hold together, None is no filter."""

    announcement: UUID | None = None
    channel: str | None = None
    states: frozenset[State] | None = None
    department: str | None = None
    delivery: int | None = None


FAILURES = Wanted(states=FAILED)


def deliveries(
    hand: Hand, wanted: Wanted, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Listed]:
    """Up to `limit` deliveries with an id below `before`, newest first; pass the last id on for the next page."""
    query = _wanted(wanted).order_by(t.delivery.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(t.delivery.c.id < before)
    return _listed(hand, query)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them; `more`: where the next page begins, None at the end."""

    items: Sequence[Listed]
    more: str | None


def page(hand: Hand, wanted: Wanted, *, place: str | None = None, limit: int = PAGE) -> Page:
    """A page that costs no more however many there are, before it or of other kinds.

    The newest first; of one announcement way by way, in an order that has an index. Where no index knows what is wanted
    a stretch is looked through at a time: a page may be empty and yet have a next.
    """
    if wanted.announcement is not None:
        return _of_announcement(hand, wanted, place, limit)
    before = int(place) if place else None
    if wanted.channel is None and wanted.department is None and (wanted.states or FAILED) <= FAILED:
        items = deliveries(hand, wanted, before=before, limit=limit)
        return Page(items, str(items[-1].id) if len(items) == limit else None)
    if before is None:
        newest: int | None = hand.connection.execute(select(func.max(t.delivery.c.id))).scalar_one()
        before = (newest or 0) + 1
    floor = before - STRETCH
    within = (t.delivery.c.id >= floor, t.delivery.c.id < before)
    items = _listed(hand, _wanted(wanted).where(*within).order_by(t.delivery.c.id.desc()).limit(limit))
    if len(items) == limit:
        return Page(items, str(items[-1].id))
    return Page(items, str(floor) if floor > 1 else None)


def _of_announcement(hand: Hand, wanted: Wanted, place: str | None, limit: int) -> Page:
    """In the order of the index that keeps it from having two deliveries to one address."""
    channel, address = t.delivery.c.channel, func.coalesce(t.delivery.c.address_id, literal_column("0"))
    said = t.announcement.alias("said")
    this = select(said.c.id).where(said.c.public_id == wanted.announcement).scalar_subquery()
    # Known before the index is gone through.
    query = _wanted(wanted).where(t.delivery.c.announcement_id == this)
    query = query.add_columns(address.label("place")).order_by(channel, address).limit(limit)
    if place is not None:
        was_channel, _, was_address = place.partition(" ")
        query = query.where(tuple_(channel, address) > tuple_(was_channel, int(was_address)))
    rows = hand.connection.execute(query).all()
    more = f"{rows[-1].channel} {rows[-1].place}" if len(rows) == limit else None
    return Page(_tried(hand, [_one(row) for row in rows]), more)


def _wanted(wanted: Wanted) -> Select[Any]:
    query = (
        select(
            t.delivery,
            t.announcement.c.public_id,
            t.account.c.name.label("account"),
            t.address.c.kind,
            t.address.c.value,
        )
        .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
        .join(t.account, t.account.c.id == t.delivery.c.account_id)
        .outerjoin(t.address, t.address.c.id == t.delivery.c.address_id)
    )
    if wanted.announcement is not None:
        query = query.where(t.announcement.c.public_id == wanted.announcement)
    if wanted.channel is not None:
        query = query.where(t.delivery.c.channel == wanted.channel)
    if wanted.delivery is not None:
        query = query.where(t.delivery.c.id == wanted.delivery)
    if wanted.department is not None:
        owner = select(t.department.c.id).where(t.department.c.slug == wanted.department).scalar_subquery()
        query = query.where(t.announcement.c.department_id == owner)
    if wanted.states is not None:
        # As words, not as parameters: SQLite takes a partial index only where the query says what the index says.
        states: list[ColumnElement[str]] = [
            literal_column(f"'{state.value}'") for state in sorted(wanted.states)
        ]
        query = query.where(t.delivery.c.state.in_(states))
    return query


def _listed(hand: Hand, query: Select[Any]) -> Sequence[Listed]:
    return _tried(hand, [_one(row) for row in hand.connection.execute(query)])


def _tried(hand: Hand, listed: Sequence[Listed]) -> Sequence[Listed]:
    """With the gateways of their attempts, in one query."""
    a = t.attempt.c
    tries: dict[int, list[str]] = {one.id: [] for one in listed}
    query = select(a.delivery_id, a.gateway).where(a.delivery_id.in_(list(tries))).order_by(a.fence)
    for row in hand.connection.execute(query) if listed else ():
        tries[row.delivery_id].append(row.gateway)
    return [replace(one, gateways=_named(tries[one.id], one.channel)) for one in listed]


def _named(tries: Sequence[str], channel: str) -> tuple[str, ...]:
    """A channel of one gateway, and an attempt from before there were any, names the channel: that tells nothing."""
    return tuple(name for name, _ in groupby(tries) if name != channel)


def _one(row: Row[Any]) -> Listed:
    return Listed(
        id=row.id,
        announcement=row.public_id,
        channel=row.channel,
        account=row.account,
        address=mask(AddressKind(row.kind), row.value) if row.kind else PUBLIC,
        state=State(row.state),
        code=row.code,
        why=row.why,
        burned=row.burned,
        due_at=row.due_at,
        changed_at=row.changed_at,
        settled_by=row.settled_by,
    )
