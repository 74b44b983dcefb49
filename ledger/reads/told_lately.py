"""What somebody was sent lately, and what became of it: about them, and to their own numbers and emails.

Neither duties nor deliveries have an index by person, for a fan-out of a million rows would pay for it. So the last
announcements are gone through, each by an index of its own: enough for "did she get it", and never slow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, func, literal_column, select, union_all

from broker.address import AddressKind, mask
from broker.announcement import Part
from broker.delivery import State
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.reaches import called

LOOKED_THROUGH = 500  # announcements, the newest
PAGE = 20
MOST_TITLE = 80


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery; `about` names the people it was about, where that is somebody else."""

    delivery: int
    announcement: UUID
    title: str
    channel: str
    address: str  # masked
    state: State
    why: str
    at: datetime
    about: Sequence[str] = field(default=(), repr=False)


def told_lately(
    hand: Hand,
    person: int | None,
    addresses: Sequence[int] = (),
    *,
    department: str | None = None,
    limit: int = PAGE,
) -> Sequence[Sent]:
    """The newest deliveries about a person or to these addresses, of one department's announcements if it is named."""
    lately = _lately(department)
    queries = _queries(lately, person, addresses, limit)
    if not queries:
        return ()
    # SQLite takes no limit in a part of a compound select, but for one that is a table of its own.
    every = (
        union_all(*(select(query.subquery().c[0]) for query in queries)) if len(queries) > 1 else queries[0]
    )
    newest = sorted(set(hand.connection.execute(every).scalars()), reverse=True)[:limit]
    if not newest:
        return ()
    rows = hand.connection.execute(_shown().where(t.delivery.c.id.in_(newest))).all()
    titles = _titles(hand, sorted({row.announcement_id for row in rows}))
    about = _about(hand, newest, but=person)
    return [
        Sent(
            row.id,
            row.public_id,
            titles.get(row.announcement_id, ""),
            row.channel,
            mask(AddressKind(row.kind), row.value) if row.value is not None else "",
            State(row.state),
            row.why,
            row.changed_at,
            about.get(row.id, ()),
        )
        for row in rows
    ]


def _lately(department: str | None) -> CTE:
    a = t.announcement.c
    query = select(a.id).order_by(a.id.desc()).limit(LOOKED_THROUGH)
    if department is not None:
        its = select(t.department.c.id).where(t.department.c.slug == department)
        query = query.where(a.department_id == its.scalar_subquery())
    return query.cte("lately").prefix_with("MATERIALIZED", dialect="postgresql")


def _queries(
    lately: CTE, person: int | None, addresses: Sequence[int], limit: int
) -> Sequence[Select[tuple[int]]]:
    d, u, covers = t.delivery.c, t.duty.c, t.delivery_covers.c
    found: list[Select[tuple[int]]] = []
    if person is not None:
        found.append(
            select(d.id)
            .select_from(lately)
            .join(t.duty, (u.announcement_id == lately.c.id) & (u.person_id == person))
            .join(t.delivery_covers, (covers.duty_id == u.id) & ~covers.dropped)
            .join(t.delivery, d.id == covers.delivery_id)
            .order_by(d.id.desc())
            .limit(limit)
        )
    if addresses:
        # As the index says it that holds each address once.
        to = func.coalesce(d.address_id, literal_column("0"))
        channels = select(t.account.c.channel).distinct().cte("ways")
        found.append(
            select(d.id)
            .select_from(lately)
            .join(channels, literal_column("1") == literal_column("1"))
            .join(
                t.delivery,
                (d.announcement_id == lately.c.id)
                & (d.channel == channels.c.channel)
                & to.in_(sorted(addresses)),
            )
            .order_by(d.id.desc())
            .limit(limit)
        )
    return found


def _shown() -> Select[Any]:
    d = t.delivery.c
    return (
        select(
            d.id,
            d.announcement_id,
            d.channel,
            d.state,
            d.why,
            d.changed_at,
            t.announcement.c.public_id,
            t.address.c.kind,
            t.address.c.value,
        )
        .join(t.announcement, t.announcement.c.id == d.announcement_id)
        .outerjoin(t.address, t.address.c.id == d.address_id)
        .order_by(d.id.desc())
    )


def _titles(hand: Hand, announcements: Sequence[int]) -> Mapping[int, str]:
    """The title of each as it was first said, or how its short text begins."""
    c = t.content.c
    rows = hand.connection.execute(
        select(c.announcement_id, func.substr(c.text, 1, MOST_TITLE))
        .where(c.announcement_id.in_(announcements), c.part.in_([Part.TITLE.value, Part.SHORT.value]))
        .order_by(c.announcement_id, c.part == Part.TITLE.value, c.version, c.language.desc())
    )
    return {number: words for number, words in rows}  # noqa: C416 - the last of each is the one to show


def _about(hand: Hand, deliveries: Sequence[int], *, but: int | None) -> Mapping[int, Sequence[str]]:
    """Delivery → whom it is about."""
    covers = t.delivery_covers.c
    rows = hand.connection.execute(
        select(covers.delivery_id, called())
        .select_from(t.delivery_covers)
        .join(t.duty, t.duty.c.id == covers.duty_id)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(covers.delivery_id.in_(deliveries), ~covers.dropped, t.person.c.id != (but or 0))
        .order_by(covers.delivery_id, t.person.c.id)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for delivery, name in rows:
        found[delivery].append(name)
    return found
